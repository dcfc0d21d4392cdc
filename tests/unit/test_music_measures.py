"""What is measured of a piece is what a musician would say of it, and a copy is found out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from shared.music import features
from shared.music.novelty import Known, symbols, together
from shared.music.piece import Key, Note, Piece
from tests.support.tiny_music import played

SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11, 12),
    "minor": (0, 2, 3, 5, 7, 8, 10, 12),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10, 12),
    "dorian": (0, 2, 3, 5, 7, 9, 10, 12),
}


def tune(pitches: list[int], length: int = 24) -> Piece:
    notes = tuple(Note(0, i * length, length, pitch) for i, pitch in enumerate(pitches))
    return played(-(-len(pitches) * length // 96) * 96, notes=notes)


def in_key(tonic: int, mode: str) -> Piece:
    """Up and down the scale, with the tonic's triad."""
    up = SCALES[mode]
    return tune([60 + tonic + step for step in (*up, *reversed(up), 0, up[2], 7, up[2], 0, 7, 0)])


@pytest.mark.parametrize("mode", SCALES)
@pytest.mark.parametrize("tonic", [0, 2, 6, 9])
def test_a_key_is_heard(tonic: int, mode: str) -> None:
    assert features.heard_key(in_key(tonic, mode).notes) == Key(tonic, mode)


def test_density_leaps_and_beats_are_counted() -> None:
    piece = tune([60, 62, 60, 67], length=12)  # half a bar of 4/4 in eighths
    assert features.density(piece) == 1.0
    assert features.leap(piece) == pytest.approx((2 + 2 + 7) / 3)
    assert features.on_beat(piece) == 0.5
    assert features.leap(tune([60])) == 0.0


@pytest.fixture
def known() -> Known:
    draw = np.random.Generator(np.random.PCG64(1))
    return Known(together([tune(draw.integers(55, 80, 60).tolist()) for _ in range(20)] + [in_key(3, "minor")]))


@pytest.mark.parametrize("by", [0, 5, -7])
def test_a_copy_is_found_in_whatever_key(known: Known, by: int) -> None:
    copy = in_key((3 + by) % 12, "minor")
    assert known.longest(copy) == len(copy.melody)
    assert known.new(copy, 5) == known.new(copy, 8) == 0.0


def test_a_copied_half_and_another_rhythm_are_found_as_far_as_they_go(known: Known) -> None:
    whole = [note.pitch for note in in_key(3, "minor").melody]
    half = tune([*whole[:12], *(p % 5 * 7 + 41 for p in range(12))])
    assert known.longest(half) == 12
    assert 0.4 < known.new(half, 8) < 0.8  # type: ignore[operator]
    slower = tune(whole, length=48)
    assert known.longest(slower) == 0 and known.new(slower, 8) == 0.0


def test_runs_do_not_reach_from_one_tune_into_the_next() -> None:
    first, second = tune([60, 62, 64]), tune([65, 64, 62])
    joined = tune([60, 62, 64, 65, 64, 62])
    told = Known(together([first, second]))
    assert told.longest(joined) == 3 and told.new(joined, 5) == 1.0
    assert told.new(tune([60, 62]), 5) is None and told.longest(tune([60])) == 0
    assert Known(together([])).longest(joined) == 0


def test_wide_leaps_and_long_notes_are_kept_apart_and_a_file_is_read(tmp_path: Path) -> None:
    piece = replace(played(960), notes=(Note(0, 0, 300, 20), Note(0, 300, 24, 127), Note(0, 330, 24, 0)))
    assert len(set(symbols(piece).tolist())) == 2
    np.save(tmp_path / "known.npy", together([piece]))
    assert Known.read(tmp_path / "known.npy").longest(piece) == 3
    np.save(tmp_path / "known.npy", np.zeros(3))
    with pytest.raises(ValueError, match="no tunes"):
        Known.read(tmp_path / "known.npy")
