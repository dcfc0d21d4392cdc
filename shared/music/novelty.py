"""How much of a melody is in the tunes that the model learned from: so that nobody takes a copy for something new."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from shared.music.piece import Piece

Symbols = npt.NDArray[np.uint16]
BREAK = 0  # between two tunes
_MIDDLE, _LONGEST = 128, 255


def symbols(piece: Piece) -> Symbols:
    """The melody as one number a step: the interval to the next note, and the length of the note before it."""
    notes = piece.melody
    steps = [
        (min(max(after.pitch - before.pitch, -_MIDDLE), _MIDDLE - 1) + _MIDDLE) << 8 | min(before.length, _LONGEST)
        for before, after in pairwise(notes)
    ]
    return np.array(steps, dtype=np.uint16)


def together(pieces: Iterable[Piece]) -> Symbols:
    """All their symbols, with a break after each."""
    ends = np.array([BREAK], dtype=np.uint16)
    return np.concatenate([part for piece in pieces for part in (symbols(piece), ends)] or [ends])


class Known:
    """Tunes to compare with. Made of what `together` gives."""

    def __init__(self, told: Symbols) -> None:
        self._told = told
        self._grams: dict[int, npt.NDArray[np.uint64]] = {}

    @classmethod
    def read(cls, file: Path) -> Known:
        """From a .npy file. Raises `ValueError` or `OSError` where it is none."""
        told = np.load(file, allow_pickle=False)
        if told.dtype != np.uint16 or told.ndim != 1:
            raise ValueError(f"{file.name} holds no tunes")
        return cls(told)

    def new(self, piece: Piece, notes: int) -> float | None:
        """The share of the melody's runs of so many notes whose intervals are in no known tune. None: it has none."""
        asked = _grams(symbols(piece), notes)
        if not len(asked):
            return None
        known = self._grams.setdefault(notes, np.unique(_grams(self._told, notes)))
        return float(1 - np.isin(asked, known).mean())

    def longest(self, piece: Piece) -> int:
        """Notes of the longest run that a known tune has too, with the same intervals and the same lengths."""
        best = 0
        run = np.zeros(len(self._told), dtype=np.int32)
        for symbol in symbols(piece):
            before = np.concatenate([[0], run[:-1]])
            run = np.where(self._told == symbol, before + 1, 0).astype(np.int32)
            best = max(best, int(run.max(initial=0)))
        return best + 1 if best else 0


def _grams(told: Symbols, notes: int) -> npt.NDArray[np.uint64]:
    """Each run's intervals as one number; runs over a break are left out. Two runs may share a number by chance."""
    width = notes - 1
    if len(told) < width:
        return np.empty(0, dtype=np.uint64)
    windows = np.lib.stride_tricks.sliding_window_view(told, width)
    whole = windows[(windows != BREAK).all(axis=1)] >> 8
    weights = np.array([257**power % 2**64 for power in range(width)], dtype=np.uint64)
    result: npt.NDArray[np.uint64] = (whole.astype(np.uint64) * weights).sum(axis=1, dtype=np.uint64)
    return result
