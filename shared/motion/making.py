"""A motion as it comes about: how far it is, then the whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shared.events import Event, Final, Piece
from shared.outputs import MotionOutput
from shared.pacing import INTERVAL, SoFar, paced


@dataclass(frozen=True, kw_only=True)
class Moved(SoFar):
    """A motion as far as it has come; `output` once it has ended."""

    output: MotionOutput | None = None


def moved(events: Iterator[Event], interval: float = INTERVAL) -> Iterator[Moved]:
    """How far it is, by the rules of `paced`."""
    return paced(events, _Growing(), interval)


class _Growing:
    def add(self, event: Piece) -> None:
        """No piece of a motion comes before its end."""

    def so_far(self) -> Moved:
        return Moved()

    def whole(self, final: Final) -> Moved:
        return Moved(output=final.output)
