"""Samples as engines have them (float32, -1 to 1) and as they travel: 16-bit signed little-endian bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy

    Samples = numpy.ndarray[Any, numpy.dtype[numpy.float32]]

FULL = 32767.0


def to_pcm(samples: Any) -> bytes:
    """The samples in 16 bits; what is louder than full scale is cut off, and what is no number is silence."""
    import numpy

    finite = numpy.nan_to_num(numpy.asarray(samples, numpy.float32), nan=0.0, posinf=1.0, neginf=-1.0)
    return (numpy.clip(finite, -1.0, 1.0) * FULL).round().astype("<i2").tobytes()


def to_samples(pcm: bytes) -> Samples:
    """The bytes as float32 samples. A half sample at the end is left out."""
    import numpy

    whole = pcm[: len(pcm) // 2 * 2]
    return numpy.frombuffer(whole, "<i2").astype(numpy.float32) / numpy.float32(FULL)
