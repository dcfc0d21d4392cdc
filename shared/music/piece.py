"""A piece of music as plain data: notes in voices and bars, on a grid of 24 ticks a quarter note."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

TICKS = 24  # a quarter note; every length that the model writes is a whole number of these
WHOLE = 4 * TICKS
# A mode's place on the circle of fifths, counted from the major key of the same tonic.
MODES = {"major": 0, "mixolydian": -1, "dorian": -2, "minor": -3}
TONICS = ("C", "D♭", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")
_MINOR_TONICS = {1: "C♯", 8: "G♯"}  # where a minor or dorian key has fewer signs by this name


@dataclass(frozen=True)
class Metre:
    """A time signature: so many notes of a whole note's part. `unit`: 2, 4 or 8."""

    beats: int
    unit: int

    @classmethod
    def read(cls, text: str) -> Metre:
        """From "6/8". Raises `ValueError`."""
        beats, unit = text.split("/")
        return cls(int(beats), int(unit))

    def __str__(self) -> str:
        return f"{self.beats}/{self.unit}"

    @property
    def ticks(self) -> int:
        """The length of a bar."""
        return self.beats * WHOLE // self.unit

    @property
    def beat(self) -> int:
        """The length of the beat that one taps: three eighths in 6/8 and its like, else the unit."""
        return 3 * WHOLE // 8 if self.unit == 8 and self.beats % 3 == 0 else WHOLE // self.unit


@dataclass(frozen=True)
class Key:
    """A tonic, 0 (C) to 11 (B), and one of `MODES`."""

    tonic: int
    mode: str = "major"

    @property
    def fifths(self) -> int:
        """The signature: sharps, or flats as a negative number, -7 to 7."""
        major = (self.tonic * 7 + 5) % 12 - 5
        fifths = major + MODES[self.mode]
        return fifths + 12 if fifths < 0 and self._is_sharp else fifths

    @property
    def _is_sharp(self) -> bool:
        return self.mode in ("minor", "dorian") and self.tonic in _MINOR_TONICS

    def __str__(self) -> str:
        tonic = _MINOR_TONICS[self.tonic] if self._is_sharp else TONICS[self.tonic]
        return f"{tonic} {self.mode}"


@dataclass(frozen=True)
class Note:
    """`start` and `length` in ticks, `pitch` as MIDI numbers it (60 is middle C), `voice` from 0, the highest."""

    voice: int
    start: int
    length: int
    pitch: int


@dataclass(frozen=True)
class Guess:
    """What a voice did at a place, and what was thought likely there, likeliest first, each with its probability.

    `start` in ticks; a deed is a MIDI pitch, "rest", or "hold" (what sounds there sounds on).
    """

    voice: int
    start: int
    did: int | str
    probability: float
    likely: tuple[tuple[int | str, float], ...]


@dataclass(frozen=True)
class Bar:
    """`start` and `length` in ticks. `part`: a part of the piece begins here. `pickup`: it has only its end."""

    start: int
    length: int
    part: bool = False
    pickup: bool = False


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A piece, or as much of it as is written. `tempo`: beats a minute, of the beat that one taps."""

    kind: str
    key: Key
    metre: Metre
    tempo: float
    voices: int
    bars: tuple[Bar, ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def ticks(self) -> int:
        """Its length."""
        return self.bars[-1].start + self.bars[-1].length if self.bars else 0

    @property
    def seconds(self) -> float:
        """Its length as it is played."""
        return self.ticks * self.tick_seconds

    @property
    def tick_seconds(self) -> float:
        """What a tick lasts."""
        return 60 / self.tempo / self.metre.beat

    @cached_property
    def melody(self) -> tuple[Note, ...]:
        """The highest voice."""
        return tuple(note for note in self.notes if note.voice == 0)

    @property
    def full_bars(self) -> int:
        """Bars without the pick-ups."""
        return sum(not bar.pickup for bar in self.bars)


def spell(pitch: int, fifths: int) -> tuple[str, int, int]:
    """The letter, the alteration in semitones and the octave of a MIDI pitch in a key signature.

    Of the names a pitch has, the one on the line of fifths between three places below the signature's own and eight
    above it: so a raised seventh of a minor key is a sharp, and a lowered seventh of a major one a flat.
    """
    low = fifths - 3
    place = low + ((pitch * 7) - low) % 12
    letter = "CGDAEBF"[place % 7]
    alter = (place + 1) // 7
    natural = (pitch - alter) // 12 - 1
    return letter, alter, natural
