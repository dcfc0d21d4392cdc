"""Colours as the eye parts them: CIE L*a*b* of sRGB, in which distances look about alike everywhere."""

from __future__ import annotations

from typing import Any

# sRGB (IEC 61966-2-1) to XYZ, divided by the white point D65
_TO_XYZ = (
    (0.4124564 / 0.95047, 0.3575761 / 0.95047, 0.1804375 / 0.95047),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339 / 1.08883, 0.1191920 / 1.08883, 0.9503041 / 1.08883),
)


def lab(pixels: Any) -> Any:
    """L* (0 to 100), a* and b* of sRGB pixels (..., 3) uint8, as float32 (..., 3)."""
    import numpy

    values = numpy.asarray(pixels, numpy.float32) / 255
    linear = numpy.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    xyz = linear @ numpy.asarray(_TO_XYZ, numpy.float32).T
    root = numpy.where(xyz > 216 / 24389, numpy.cbrt(xyz), xyz * (24389 / 27 / 116) + 16 / 116)
    x, y, z = root[..., 0], root[..., 1], root[..., 2]
    return numpy.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1).astype(numpy.float32)
