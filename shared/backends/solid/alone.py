"""The object of a picture alone in the middle of a square, as models that learned shapes from pictures are shown it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

    from shared.solid.cutout import Cutout


def alone(cutout: Cutout, ground: int, share: float) -> Image:
    """The object on a grey of that value, 255 for white, filling that share of the square's side."""
    import numpy
    from PIL import Image

    cover = numpy.clip(cutout.cover, 0, 1)[:, :, None]
    pixels = (cutout.pixels * cover + ground * (1 - cover)).astype(numpy.uint8)
    rows, columns = numpy.nonzero(cutout.mask)
    cut = Image.fromarray(pixels[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1])
    side = round(max(cut.size) / share)
    square = Image.new("RGB", (side, side), (ground,) * 3)
    square.paste(cut, ((side - cut.width) // 2, (side - cut.height) // 2))
    return square
