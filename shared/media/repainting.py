"""Lays what was drawn anew over the picture that it is part of."""

from __future__ import annotations

from typing import Any

_FEATHER = 128  # one pixel of soft edge for each so many of the shorter side


def lay_over(start: Any, drawn: Any, mask: Any) -> Any:
    """`drawn` where the mask is white, `start` untouched where it is black: an autoencoder changes every pixel.

    The edge is soft on the white side.
    """
    from PIL import Image, ImageChops, ImageFilter

    width = min(start.size) // _FEATHER
    if width:
        inner = mask.filter(ImageFilter.MinFilter(2 * width + 1)).filter(ImageFilter.GaussianBlur(width))
        mask = ImageChops.darker(mask, inner)
    return Image.composite(drawn, start, mask)
