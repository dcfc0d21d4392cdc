"""A solid as it comes about: pictures of its stages first, then the whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.events import Event, Final
from shared.outputs import SolidOutput
from shared.pacing import INTERVAL, LastPreview, SoFar, paced

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True, kw_only=True)
class Making(SoFar):
    """A solid as far as it has come. `preview`: the picture that it is made of, as far as that has come."""

    preview: Image | None = None
    output: SolidOutput | None = None


def makings(events: Iterator[Event], interval: float = INTERVAL) -> Iterator[Making]:
    """The solid as it comes about, by the rules of `paced`."""
    return paced(events, _Growing(), interval)


class _Growing(LastPreview):
    def so_far(self) -> Making:
        return Making(preview=self.preview)

    def whole(self, final: Final) -> Making:
        return Making(preview=self.preview, output=final.output)
