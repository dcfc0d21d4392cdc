"""How loud a sound is to the ear: integrated loudness in LUFS, after ITU-R BS.1770-5 and EBU R 128.

K-weighting is two filters in a row: a shelf for the head's own effect and a high-pass. BS.1770 prints their
coefficients for 48 kHz alone; here they come from the analogue filters that those are made of (centre frequency,
quality, gain: B. de Man, "Evaluation of implementations of the EBU R128 loudness measurement", AES 2018), so that they
fit any sample rate. Loudness is measured in blocks of 0.4 s that overlap by three quarters, gated at -70 LUFS and then
at 10 LU below what is left.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shared.audio.pcm import Samples

_SHELF = 1681.974450955533, 0.7071752369554196, 3.999843853973347  # hertz, quality, decibels
_PASS = 38.13547087602444, 0.5003270373238773  # hertz, quality
_BLOCK, _OVERLAP = 0.4, 0.75  # seconds; share
_ABSOLUTE, _RELATIVE = -70.0, -10.0  # LUFS; LU
_OFFSET = -0.691  # what makes a 997 Hz tone of full scale read -3.01


def integrated(samples: Samples, sample_rate: int) -> float | None:
    """LUFS of the whole (one channel); None for what is shorter than a block or nothing but silence."""
    import numpy

    size, step = round(_BLOCK * sample_rate), round(_BLOCK * (1 - _OVERLAP) * sample_rate)
    if len(samples) < size:
        return None
    squares = numpy.concatenate([[0.0], numpy.cumsum(numpy.square(_weighted(samples, sample_rate)))])
    starts = numpy.arange(0, len(samples) - size + 1, step)
    power = (squares[starts + size] - squares[starts]) / size
    kept = power[_loudness(power) > _ABSOLUTE]
    if not len(kept):
        return None
    gate = float(_loudness(kept.mean())) + _RELATIVE
    return round(float(_loudness(kept[_loudness(kept) > gate].mean())), 1)


def peak(samples: Samples) -> float | None:
    """The loudest sample in decibels of full scale; None for silence."""
    import numpy

    most = float(numpy.abs(samples).max()) if len(samples) else 0.0
    return round(20 * math.log10(most), 1) if most > 0 else None


def _loudness(power: Any) -> Any:
    import numpy

    return _OFFSET + 10 * numpy.log10(numpy.maximum(power, 1e-12))


def _weighted(samples: Samples, rate: int) -> Any:
    from scipy.signal import lfilter

    for numerator, denominator in (_shelf(rate), _high_pass(rate)):
        samples = lfilter(numerator, denominator, samples)
    return samples


def _shelf(rate: int) -> tuple[list[float], list[float]]:
    """The shelf's coefficients by the bilinear transform."""
    hertz, quality, decibels = _SHELF
    k = math.tan(math.pi * hertz / rate)
    high = 10 ** (decibels / 20)
    band = high**0.4996667741545416
    below = 1 + k / quality + k * k
    up = [high + band * k / quality + k * k, 2 * (k * k - high), high - band * k / quality + k * k]
    return [value / below for value in up], [1.0, 2 * (k * k - 1) / below, (1 - k / quality + k * k) / below]


def _high_pass(rate: int) -> tuple[list[float], list[float]]:
    hertz, quality = _PASS
    k = math.tan(math.pi * hertz / rate)
    below = 1 + k / quality + k * k
    return [1.0, -2.0, 1.0], [1.0, 2 * (k * k - 1) / below, (1 - k / quality + k * k) / below]
