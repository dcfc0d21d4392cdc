"""A speech as it grows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from shared.events import AudioChunk, Event, Final, Piece
from shared.outputs import AudioOutput
from shared.pacing import INTERVAL, SoFar, paced


@dataclass(frozen=True, kw_only=True)
class Spoken(SoFar):
    """A speech as far as it has come. `fresh`: the pieces since it was told of last; `sound`: all, once it is over."""

    seconds: float = 0.0
    fresh: tuple[AudioChunk, ...] = ()
    sound: AudioOutput | None = None


def speeches(events: Iterator[Event], interval: float = INTERVAL) -> Iterator[Spoken]:
    """The speech as it grows, by the rules of `paced`."""
    return paced(events, _Growing(), interval)


def heard(events: Iterator[Event], hear: Callable[[AudioChunk], object]) -> Iterator[Event]:
    """The same events; each piece of sound is handed to `hear` at once, however seldom a screen is told."""
    for event in events:
        if isinstance(event, AudioChunk):
            hear(event)
        yield event


class _Growing:
    def __init__(self) -> None:
        self._fresh: list[AudioChunk] = []
        self._seconds = 0.0

    def add(self, event: Piece) -> None:
        if isinstance(event, AudioChunk):
            self._fresh.append(event)
            self._seconds = event.start + event.seconds

    def so_far(self) -> Spoken:
        fresh, self._fresh = tuple(self._fresh), []
        return Spoken(seconds=self._seconds, fresh=fresh)

    def whole(self, final: Final) -> Spoken:
        fresh, self._fresh = tuple(self._fresh), []
        return Spoken(seconds=final.output.seconds, fresh=fresh, sound=final.output)
