"""Sounds of a few bytes that would take gigabytes to open."""

from __future__ import annotations

import io

import numpy
import pytest
import soundfile

from shared.errors import InvalidRequest
from shared.media.sound.opening import open_channels


def silence(seconds: int, rate: int, channels: int) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, numpy.zeros((seconds * rate, channels), numpy.int16), rate, format="FLAC")
    return file.getvalue()


def test_silence_of_many_channels_is_no_way_to_fill_the_memory() -> None:
    with pytest.raises(InvalidRequest, match="longer than 2 seconds"):
        open_channels(silence(10, 48_000, 8), max_samples=1_000_000)
    samples, rate = open_channels(silence(10, 48_000, 1), max_samples=1_000_000)
    assert samples.shape == (480_000, 1) and rate == 48_000 and samples.dtype == numpy.float32
