"""A recording of somebody's voice, checked before anything is done with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.audio.loudness import integrated, peak
from shared.errors import InvalidRequest
from shared.media.sound.opening import open_sound

if TYPE_CHECKING:
    from shared.audio.pcm import Samples

MAX_BYTES = 20_000_000  # half a minute in WAV is 3 MB; this leaves room for high rates and two channels
SHORTEST, LONGEST = 3.0, 30.0  # seconds
_FAINT = -45.0  # LUFS: speech from across a room
_SILENT = -50.0  # decibels of full scale at its loudest


def read_clip(data: bytes) -> tuple[Samples, int]:
    """Float32 samples of one channel, and how many a second.

    Raises `InvalidRequest` for what is no sound, too large, too long, too short, silent or too faint.
    """
    samples, rate = open_sound(data, max_bytes=MAX_BYTES, max_seconds=LONGEST)
    seconds = len(samples) / rate
    if seconds < SHORTEST:
        raise InvalidRequest(
            f"The recording lasts {seconds:.1f} seconds, and a voice needs {SHORTEST:g} at least. Record it again."
        )
    loudest, loudness = peak(samples), integrated(samples, rate)
    if loudest is None or loudest < _SILENT or loudness is None:
        raise InvalidRequest("The recording is silent. See that the microphone is on, and record it again.")
    if loudness < _FAINT:
        raise InvalidRequest(f"The recording is too faint ({loudness:g} LUFS). Come nearer, and record it again.")
    return samples, rate
