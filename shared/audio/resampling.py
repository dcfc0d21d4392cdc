"""A sound at another sample rate."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.audio.pcm import Samples


def resampled(samples: Samples, rate: int, to: int) -> Samples:
    """Float32 samples of one channel at `to` a second, by a filter without a shift in time."""
    import numpy
    from scipy.signal import resample_poly

    if rate == to:
        return samples
    common = math.gcd(rate, to)
    made: Samples = resample_poly(samples, to // common, rate // common).astype(numpy.float32)
    return made
