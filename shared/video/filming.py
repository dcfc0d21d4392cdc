"""A clip as it grows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.events import Event, Final, Frame, Piece, Preview
from shared.outputs import VideoOutput
from shared.pacing import INTERVAL, SoFar, paced

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True, kw_only=True)
class Filming(SoFar):
    """A clip as far as it has come. `frames`: those that are whole, or unfinished ones of all the clip (`rough`).

    `total`: how many it will have, 0 where that is not known; `fps`: frames a second. `output`: once it is done.
    """

    frames: tuple[Image, ...] = ()
    rough: bool = False
    total: int = 0
    fps: float = 0.0
    output: VideoOutput | None = None


def filmings(events: Iterator[Event], interval: float = INTERVAL) -> Iterator[Filming]:
    """The clip as it grows, by the rules of `paced`."""
    return paced(events, _Growing(), interval)


class _Growing:
    def __init__(self) -> None:
        self._frames: list[Image] = []
        self._rough: tuple[Image, ...] = ()
        self._total, self._fps = 0, 0.0

    def add(self, event: Piece) -> None:
        if isinstance(event, Frame):
            self._frames.append(event.image)
            self._total, self._fps = event.total, event.fps
        elif isinstance(event, Preview):
            self._rough = event.frames or (event.image,)
            self._fps = event.fps or self._fps

    def so_far(self) -> Filming:
        frames = tuple(self._frames) or self._rough
        return Filming(frames=frames, rough=not self._frames, total=self._total, fps=self._fps)

    def whole(self, final: Final) -> Filming:
        return Filming(frames=tuple(self._frames), total=self._total, fps=self._fps, output=final.output)
