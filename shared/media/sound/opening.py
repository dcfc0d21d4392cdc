"""Opens sounds that others made, a provider or a person: their claims are checked before they are decoded."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

from shared.errors import InvalidRequest

if TYPE_CHECKING:
    from shared.audio.pcm import Samples

MAX_BYTES = 60_000_000
MAX_SECONDS = 3600.0
MAX_SAMPLES = (
    120_000_000  # of all channels: an hour of speech, in half a gigabyte; silence takes a file next to nothing
)
_RATES = range(4_000, 192_001)
_BLOCK = 65536


def open_sound(data: bytes, *, max_bytes: int = MAX_BYTES, max_seconds: float = MAX_SECONDS) -> tuple[Samples, int]:
    """Float32 samples of one channel (the mean of several), and how many there are a second. Raises as below."""
    samples, rate = open_channels(data, max_bytes=max_bytes, max_seconds=max_seconds)
    return samples.mean(axis=1, dtype=samples.dtype), rate


def open_channels(
    data: bytes, *, max_bytes: int = MAX_BYTES, max_seconds: float = MAX_SECONDS, max_samples: int = MAX_SAMPLES
) -> tuple[Samples, int]:
    """Float32 samples (n, channels), and how many there are a second.

    WAV, FLAC, Ogg and MP3. Raises `InvalidRequest` for what is none, too long, too large or broken.
    """
    if len(data) > max_bytes:
        raise InvalidRequest(f"The sound is larger than {max_bytes / 1e6:g} MB. Shorten it and try again.")
    try:
        return _decoded(data, max_seconds, max_samples)
    except InvalidRequest:
        raise
    except (RuntimeError, ValueError, TypeError, struct.error, OSError):  # libsndfile's own are RuntimeErrors
        raise InvalidRequest(
            "The sound can't be read: it is no WAV, FLAC, Ogg or MP3 file, or it is damaged. Save it again as WAV."
        ) from None


def _decoded(data: bytes, max_seconds: float, max_samples: int) -> tuple[Samples, int]:
    import numpy
    import soundfile

    with soundfile.SoundFile(io.BytesIO(data)) as file:
        if file.samplerate not in _RATES or not 1 <= file.channels <= 8:
            raise ValueError("not a sound that anybody would record")
        blocks, count = [], 0
        longest = min(max_seconds, max_samples // (file.samplerate * file.channels))
        while len(block := file.read(_BLOCK, dtype="float32", always_2d=True)):
            count += len(block)
            if count > longest * file.samplerate:
                raise InvalidRequest(f"The sound is longer than {longest:g} seconds. Shorten it and try again.")
            blocks.append(block)
        if not count:
            raise ValueError("no samples")
        return numpy.concatenate(blocks), int(file.samplerate)
