"""What a file of notes tells, before it is brought onto our grid."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.music.piece import Key, Metre

MOST_NOTES = 20_000


@dataclass(frozen=True)
class Played:
    """A note as a file has it: `start` and `length` in quarter notes."""

    voice: int
    start: float
    length: float
    pitch: int


@dataclass
class Told:
    """What a file tells. `pickup`: quarter notes before the first whole bar. `tempo`: quarter notes a minute.

    `exact`: notes are as long as they are written, and not as they are played.
    """

    notes: list[Played] = field(default_factory=list)
    metre: Metre | None = None
    key: Key | None = None
    tempo: float | None = None
    pickup: float = 0.0
    exact: bool = False
