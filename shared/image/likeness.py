"""How like two pictures are, in figures."""

from __future__ import annotations

import io
import math

from shared.requests import ImagePart


def psnr(one: ImagePart, other: ImagePart) -> float | None:
    """Peak signal-to-noise ratio in dB over all pixels and channels: 10 log10(255^2 / mean squared difference).

    Infinite for equal pictures; None where their sizes differ.
    """
    import numpy
    from PIL import Image

    first, second = (
        numpy.asarray(Image.open(io.BytesIO(part.data)).convert("RGB"), numpy.float64) for part in (one, other)
    )
    if first.shape != second.shape:
        return None
    error = float(((first - second) ** 2).mean())
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)
