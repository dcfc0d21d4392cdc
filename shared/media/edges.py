"""Finds the edges of a picture, as lines of one pixel: white on black.

J. Canny, A Computational Approach to Edge Detection, IEEE PAMI 8 (1986): smoothed, the gradient by Sobel's filters,
thinned across it, and kept where it is strong or hangs together with what is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL import Image

SMOOTH = 1.4  # pixels: the Gaussian's standard deviation
# Of the gradient |x| + |y| of 8-bit greys: what begins an edge, and what goes on with one. The usual values for a
# ControlNet, which was trained on random ones around them.
STRONG, WEAK = 200, 100


def edges(picture: Image.Image, strong: float = STRONG, weak: float = WEAK) -> Image.Image:
    """The picture's edges (L, 0 or 255), in its own size."""
    import numpy
    from PIL import Image as images
    from PIL import ImageFilter

    grey = picture.convert("L").filter(ImageFilter.GaussianBlur(SMOOTH))
    x, y = _gradients(numpy.asarray(grey, numpy.float32))
    size = numpy.abs(x) + numpy.abs(y)
    ridge = _thinned(size, x, y)
    found = _joined(ridge > strong, ridge > weak)
    return images.fromarray(found)


def _gradients(grey: Any) -> tuple[Any, Any]:
    """Sobel's, along each axis; what lies outside is as the edge."""
    import numpy

    wide = numpy.pad(grey, 1, "edge")
    down = wide[:-2] + 2 * wide[1:-1] + wide[2:]
    across = wide[:, :-2] + 2 * wide[:, 1:-1] + wide[:, 2:]
    return down[:, 2:] - down[:, :-2], across[2:] - across[:-2]


def _thinned(size: Any, x: Any, y: Any) -> Any:
    """The gradient's size where none of the two neighbours across the edge has a larger one, and 0 elsewhere."""
    import numpy

    wide = numpy.pad(size, 1)
    angle = numpy.degrees(numpy.arctan2(y, x)) % 180
    kept = numpy.zeros(size.shape, bool)
    for middle, (right, below) in {0: (1, 0), 45: (1, 1), 90: (0, 1), 135: (-1, 1)}.items():
        here = numpy.abs((angle - middle + 90) % 180 - 90) <= 22.5
        after, before = (wide[1 + s * below :, 1 + s * right :][: size.shape[0], : size.shape[1]] for s in (1, -1))
        kept |= here & (size > before) & (size >= after)
    return numpy.where(kept, size, 0)


def _joined(strong: Any, weak: Any) -> Any:
    """What is weak and hangs together with something strong, by sides or corners: uint8, 0 or 255."""
    import numpy

    height, width = strong.shape
    left = bytearray(numpy.pad(weak, 1).tobytes())  # what nobody came by yet; the border is empty
    found = bytearray(len(left))
    row = width + 2
    around = (-row - 1, -row, -row + 1, -1, 1, row - 1, row, row + 1)
    waiting = [int(at) for at in numpy.flatnonzero(numpy.pad(strong & weak, 1))]
    for at in waiting:
        left[at], found[at] = 0, 255
    while waiting:
        at = waiting.pop()
        for step in around:
            if left[at + step]:
                left[at + step], found[at + step] = 0, 255
                waiting.append(at + step)
    return numpy.frombuffer(bytes(found), numpy.uint8).reshape(height + 2, row)[1:-1, 1:-1].copy()
