"""What can be measured of a piece: its key by ear, how busy it is, how it leaps, what of it lies in a known tune.

Key profiles: Krumhansl and Kessler, "Tracing the Dynamic Changes in Perceived Tonal Organization in a Spatial
Representation of Musical Keys", Psychological Review, 1982. Those of the mixolydian and dorian modes are the major
and the minor one with the seventh and the sixth step moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from shared.music.piece import MODES, Key, Note, Piece

Floats = npt.NDArray[np.float64]
_MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
ENDS_ON_TONIC = 0.2  # added to the likeness of a key whose tonic is the last note, of 1


def _exchanged(profile: Sequence[float], one: int, other: int) -> tuple[float, ...]:
    changed = list(profile)
    changed[one], changed[other] = changed[other], changed[one]
    return tuple(changed)


PROFILES = {
    "major": _MAJOR,
    "minor": _MINOR,
    "mixolydian": _exchanged(_MAJOR, 10, 11),
    "dorian": _exchanged(_MINOR, 8, 9),
}


def likeness(notes: Sequence[Note], key: Key) -> float:
    """How well the notes' pitch classes, weighed by their length, fit the key: a correlation, and more for the end."""
    weights = np.zeros(12)
    for note in notes:
        weights[(note.pitch - key.tonic) % 12] += note.length
    if not weights.any() or weights.std() == 0:
        return 0.0
    fit = float(np.corrcoef(weights, PROFILES[key.mode])[0, 1])
    last = max(notes, key=lambda note: (note.start, note.voice))
    return fit + ENDS_ON_TONIC * ((last.pitch - key.tonic) % 12 == 0)


def heard_key(notes: Sequence[Note], modes: Iterable[str] = MODES) -> Key:
    """The likeliest of all keys."""
    return max((Key(tonic, mode) for tonic in range(12) for mode in modes), key=lambda key: likeness(notes, key))


def density(piece: Piece) -> float:
    """Notes of the melody a beat."""
    return len(piece.melody) * piece.metre.beat / piece.ticks if piece.ticks else 0.0


def leap(piece: Piece) -> float:
    """The mean step between one note of the melody and the next, in semitones."""
    steps = np.abs(np.diff([note.pitch for note in piece.melody]))
    return float(steps.mean()) if len(steps) else 0.0


def on_beat(piece: Piece) -> float:
    """Of the beats of whole bars, the share on which something begins."""
    starts = {note.start for note in piece.notes}
    beats = [
        place
        for bar in piece.bars
        if bar.length == piece.metre.ticks
        for place in range(bar.start, bar.start + bar.length, piece.metre.beat)
    ]
    return sum(place in starts for place in beats) / len(beats) if beats else 0.0


def intervals(piece: Piece, voice: int = 0) -> list[int]:
    """Steps from note to note of a voice, in semitones: the same in every key."""
    pitches = [note.pitch for note in piece.notes if note.voice == voice]
    return [after - before for before, after in pairwise(pitches)]


def grams(steps: Sequence[int], notes: int) -> list[tuple[int, ...]]:
    """Every run of so many notes, as the steps between them."""
    return [tuple(steps[i : i + notes - 1]) for i in range(len(steps) - notes + 2)]
