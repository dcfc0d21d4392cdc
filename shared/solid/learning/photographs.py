"""Makes a person's photograph into the square, unbent picture that a scene is learned from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.errors import InvalidRequest
from shared.solid.learning.poses.posed import Lens

if TYPE_CHECKING:
    from PIL.Image import Image

_OTHER = 0.02  # how far a picture's shape may be from that of its lens
_FINE = 3  # samples along a side of a pixel, where a lens is unbent


def squared(picture: Image, lens: Lens, side: int) -> tuple[Any, tuple[float, float], tuple[float, float]]:
    """Its middle square (side, side, 3) float32, 0 to 1, on white where it is transparent, and the `focal` and `middle`
    of a `Camera` for it. Raises `InvalidRequest` for a picture of another shape than its lens."""
    if abs(picture.width / picture.height / (lens.wide / lens.high) - 1) > _OTHER:
        raise InvalidRequest(
            f"A picture is {picture.width} x {picture.height}, and its camera {lens.wide:g} x {lens.high:g}. Use the "
            "pictures that the cameras were found for."
        )
    edge = min(lens.wide, lens.high)
    left, top = (lens.wide - edge) / 2, (lens.high - edge) / 2
    pixels = _unbent(picture, lens, side, edge) if any(lens.bent) else _cropped(picture, side)
    focal = (2 * lens.focal[0] / edge, 2 * lens.focal[1] / edge)
    middle = (2 * (lens.middle[0] - left) / edge - 1, 1 - 2 * (lens.middle[1] - top) / edge)
    return pixels, focal, middle


def _cropped(picture: Image, side: int) -> Any:
    from PIL import Image

    edge = min(picture.size)
    left, top = (picture.width - edge) / 2, (picture.height - edge) / 2
    box = (left, top, left + edge, top + edge)
    return _on_white(picture.resize((side, side), Image.Resampling.BOX, box=box, reducing_gap=2.0))


def _unbent(picture: Image, lens: Lens, side: int, edge: float) -> Any:
    """As a lens without bends would have taken it: each place is looked up where the bent lens put it."""
    import numpy
    from scipy import ndimage

    small = picture.copy()
    small.thumbnail((8 * side, 8 * side))
    source, scale = _on_white(small), small.width / lens.wide
    fine = _FINE * side
    across, down = numpy.meshgrid(*[((numpy.arange(fine) + 0.5) / fine - 0.5) * edge] * 2)
    x = (across + lens.wide / 2 - lens.middle[0]) / lens.focal[0]
    y = (down + lens.high / 2 - lens.middle[1]) / lens.focal[1]
    k1, k2, p1, p2 = lens.bent
    far = x * x + y * y
    more = 1 + k1 * far + k2 * far * far
    bent = (
        x * more + 2 * p1 * x * y + p2 * (far + 2 * x * x),
        y * more + p1 * (far + 2 * y * y) + 2 * p2 * x * y,
    )
    columns, rows = (
        (each * focal + middle) * scale - 0.5 for each, focal, middle in zip(bent, lens.focal, lens.middle, strict=True)
    )
    found = [ndimage.map_coordinates(source[..., n], [rows, columns], order=1, mode="nearest") for n in range(3)]
    return numpy.stack(found, axis=-1).reshape(side, _FINE, side, _FINE, 3).mean(axis=(1, 3)).astype(numpy.float32)


def _on_white(picture: Image) -> Any:
    import numpy

    values = numpy.asarray(picture.convert("RGBA"), numpy.float32) / 255
    return values[..., :3] * values[..., 3:] + (1 - values[..., 3:])
