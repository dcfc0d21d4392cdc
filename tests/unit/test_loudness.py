"""Loudness agrees with the standard's own figures, at any sample rate."""

from __future__ import annotations

import numpy as np
import pytest

from shared.audio import loudness
from shared.audio.loudness import integrated, peak


def tone(decibels: float, seconds: float, rate: int, hertz: float = 997.0) -> np.ndarray:
    return (10 ** (decibels / 20) * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype("f4")


def test_the_filters_are_those_that_the_standard_prints_for_48_khz() -> None:
    (up, down), (over, under) = loudness._shelf(48_000), loudness._high_pass(48_000)
    assert up == pytest.approx([1.53512485958697, -2.69169618940638, 1.19839281085285], abs=1e-6)
    assert down == pytest.approx([1.0, -1.69065929318241, 0.73248077421585], abs=1e-6)
    assert over == [1.0, -2.0, 1.0]
    assert under == pytest.approx([1.0, -1.99004745483398, 0.99007225036621], abs=1e-6)


@pytest.mark.parametrize("rate", [16_000, 24_000, 44_100, 48_000])
@pytest.mark.parametrize("decibels", [0.0, -20.0])
def test_a_tone_reads_as_the_standard_says(rate: int, decibels: float) -> None:
    """A 997 Hz tone of full scale in one channel reads -3.01 LUFS (BS.1770-5, Annex 1)."""
    assert integrated(tone(decibels, 3.0, rate), rate) == pytest.approx(decibels - 3.01, abs=0.11)


def test_pauses_count_for_nothing() -> None:
    """EBU Tech 3341's cases 3 to 5 in little: quiet stretches fall to the gates."""
    rate = 24_000
    loud, quiet, silent = tone(-20, 3, rate), tone(-50, 6, rate), np.zeros(6 * rate, np.float32)
    assert integrated(np.concatenate([silent, loud, quiet, silent]), rate) == pytest.approx(-23.0, abs=0.4)


def test_low_sounds_count_for_less() -> None:
    assert (integrated(tone(-20, 2, 24_000, 40.0), 24_000) or 0) < -26


def test_what_has_no_loudness_has_none() -> None:
    assert integrated(np.zeros(48_000, np.float32), 24_000) is None
    assert integrated(tone(0, 0.2, 24_000), 24_000) is None
    assert peak(np.zeros(4, np.float32)) is None and peak(np.zeros(0, np.float32)) is None
    assert peak(np.array([0.1, -0.5], np.float32)) == pytest.approx(-6.0)
