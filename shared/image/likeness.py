"""How like two pictures are, in figures."""

from __future__ import annotations

import io
import math
from typing import Any

from shared.requests import ImagePart

# Wang et al. 2004, "Image quality assessment: from error visibility to structural similarity", section III-C.
_WINDOW, _SPREAD = 11, 1.5  # pixels: the Gaussian window's side, and its standard deviation
_STEADY = ((0.01 * 255) ** 2, (0.03 * 255) ** 2)  # keep the quotients steady where there is hardly any signal
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


def psnr(one: ImagePart, other: ImagePart) -> float | None:
    """Peak signal-to-noise ratio in dB over all pixels and channels: 10 log10(255^2 / mean squared difference).

    Infinite for equal pictures; None where their sizes differ.
    """
    first, second = _pixels(one), _pixels(other)
    if first.shape != second.shape:
        return None
    error = float(((first - second) ** 2).mean())
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)


def ssim(one: ImagePart, other: ImagePart) -> float | None:
    """Structural similarity (Wang et al. 2004) of the brightness, 1 for equal pictures: the mean of its map.

    None where their sizes differ, or a side is shorter than the window of 11 pixels.
    """
    import numpy

    first, second = (_pixels(part) @ numpy.array(_LUMA) for part in (one, other))
    if first.shape != second.shape or min(first.shape) < _WINDOW:
        return None
    mean, other_mean = _blurred(first), _blurred(second)
    spread, other_spread = _blurred(first**2) - mean**2, _blurred(second**2) - other_mean**2
    together = _blurred(first * second) - mean * other_mean
    light = (2 * mean * other_mean + _STEADY[0]) / (mean**2 + other_mean**2 + _STEADY[0])
    structure = (2 * together + _STEADY[1]) / (spread + other_spread + _STEADY[1])
    return float((light * structure).mean())


def _blurred(array: Any) -> Any:
    """Weighted means over the window, where it lies within the picture. One dimension after the other."""
    import numpy

    away = numpy.arange(_WINDOW) - _WINDOW // 2
    weights = numpy.exp(-(away**2) / (2 * _SPREAD**2))
    weights /= weights.sum()
    for _ in range(2):
        long = array.shape[0] - _WINDOW + 1
        array = sum(weight * array[at : at + long] for at, weight in enumerate(weights)).T
    return array


def _pixels(part: ImagePart) -> Any:
    """Array (rows, columns, 3) of 0 to 255."""
    import numpy
    from PIL import Image

    return numpy.asarray(Image.open(io.BytesIO(part.data)).convert("RGB"), numpy.float64)
