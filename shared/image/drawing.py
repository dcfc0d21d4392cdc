"""A drawing as it grows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.events import Event, Final
from shared.pacing import INTERVAL, LastPreview, SoFar, paced
from shared.requests import MOST_SEED, ImagePart

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True, kw_only=True)
class Drawing(SoFar):
    """A drawing as far as it has come. `preview` is unfinished; `images` are encoded files, each with its seed."""

    preview: Image | None = None
    images: tuple[ImagePart, ...] = ()
    seeds: tuple[int, ...] = ()

    def seed_of(self, number: int) -> int | None:
        """The seed of the picture at that place, where the engine has seeds."""
        if number < len(self.seeds):
            return self.seeds[number]
        return self.receipt.seed if self.receipt else None

    def variation_seed_of(self, number: int) -> int | None:
        """The variation seed of the picture at that place; None where it is no variation."""
        settings = self.receipt.settings if self.receipt else {}
        first = settings.get("variation_seed") if settings.get("variation_strength") else None
        return None if first is None else (first + number) % MOST_SEED


def drawings(events: Iterator[Event], interval: float = INTERVAL) -> Iterator[Drawing]:
    """The drawing as it grows, by the rules of `paced`."""
    return paced(events, _Growing(), interval)


class _Growing(LastPreview):
    def so_far(self) -> Drawing:
        return Drawing(preview=self.preview)

    def whole(self, final: Final) -> Drawing:
        return Drawing(preview=self.preview, images=final.output.images, seeds=final.output.seeds)
