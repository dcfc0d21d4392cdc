"""Cuts the thing out of a picture: by its transparency, or by a flood from the border over a plain background."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.errors import InvalidRequest
from shared.solid.colour import lab
from shared.solid.highlights import with_highlights

if TYPE_CHECKING:
    from PIL.Image import Image

TOLERANCE = 12.0  # of a colour, in L*a*b*: about 2 can just be told apart side by side
PLAIN = 0.55  # of the border must be of one colour
LEAST = 0.004  # of the picture: anything smaller is a speck
SIDE = 1024  # pixels: of a larger picture a smaller copy is cut out, and becomes the texture

_NOT_PLAIN = (
    "The background isn't plain: only {share:.0%} of the picture's border is of one colour. Use a picture of one thing "
    "before a plain background, one with transparency, or raise the tolerance."
)
_NOTHING = (
    "No object was found in the picture: all of it looks like background. Lower the tolerance, or use a picture of one "
    "thing that stands out."
)
_FULL = "The object fills the whole picture, so that it has no outline. Leave some background around it."


@dataclass(frozen=True, kw_only=True, eq=False)
class Cutout:
    """`pixels` (rows, columns, 3) uint8, and `cover` (rows, columns) float32: 1 where the object is, 0 where not.

    `by`: `transparency`, `background` or `the whole picture`. `background`: its colour, red, green and blue, 0 to 255,
    where it was seen.
    """

    pixels: Any
    cover: Any
    by: str
    background: tuple[int, int, int] | None = None

    @property
    def mask(self) -> Any:
        """Where the object is (rows, columns) bool."""
        return self.cover > 0.5


def cut_out(picture: Image, *, tolerance: float = TOLERANCE, see_through: bool = False) -> Cutout:
    """The picture's object. `see_through`: background that the object encloses is a hole.

    Raises `InvalidRequest` where there is no plain background, nothing before it, or nothing but the object.
    """
    import numpy

    if max(picture.size) > SIDE:
        picture = picture.copy()
        picture.thumbnail((SIDE, SIDE))
    pixels = numpy.asarray(picture.convert("RGB"))
    if picture.mode == "RGBA":
        cover = numpy.asarray(picture.getchannel("A"), numpy.float32) / 255
        if cover.min() < 0.5:
            return Cutout(pixels=pixels, cover=_checked(cover), by="transparency")
    distance, colour = _from_background(pixels, tolerance)
    mask = with_highlights(_without_specks(~_flooded(distance < tolerance, see_through)), distance)
    cover = _checked(_softened(mask, distance / (2 * tolerance)))
    named = tuple(int(value) for value in colour)
    return Cutout(pixels=pixels, cover=cover, by="background", background=(named[0], named[1], named[2]))


def whole(picture: Image) -> Cutout:
    """All of the picture, but for a rim of a pixel, so that it has an outline."""
    import numpy

    if max(picture.size) > SIDE:
        picture = picture.copy()
        picture.thumbnail((SIDE, SIDE))
    pixels = numpy.asarray(picture.convert("RGB"))
    cover = numpy.ones(pixels.shape[:2], numpy.float32)
    cover[[0, -1], :] = cover[:, [0, -1]] = 0.0
    return Cutout(pixels=pixels, cover=cover, by="the whole picture")


def _from_background(pixels: Any, tolerance: float) -> tuple[Any, Any]:
    """How far each pixel's colour is from the border's usual one, and that one. Raises where the border has none."""
    import numpy

    border = numpy.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    colour = numpy.median(border, axis=0)
    distance = numpy.linalg.norm(lab(pixels) - lab(colour), axis=-1)
    edge = numpy.concatenate([distance[0], distance[-1], distance[:, 0], distance[:, -1]])
    share = float((edge < tolerance).mean())
    if share < PLAIN:
        raise InvalidRequest(_NOT_PLAIN.format(share=share))
    return distance, colour


def _flooded(alike: Any, see_through: bool) -> Any:
    """The background: what is alike and joined to the border or, seen through, any of it."""
    import numpy
    from scipy import ndimage

    if see_through:
        return alike
    labels, _ = ndimage.label(alike)
    touching = numpy.unique(numpy.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    return numpy.isin(labels, touching[touching > 0])


def _without_specks(mask: Any) -> Any:
    """The mask without parts that are too small to be anything, and without holes of that size."""
    import numpy
    from scipy import ndimage

    for value in (True, False):
        labels, count = ndimage.label(mask == value)
        sizes = numpy.bincount(labels.ravel(), minlength=count + 1)
        small = sizes < LEAST * mask.size
        small[0] = False
        mask = numpy.where(small[labels], not value, mask)
    return mask


def _softened(mask: Any, likeness: Any) -> Any:
    """The mask with an outline between its pixels: there a mixed colour tells how much of the pixel is the object's."""
    import numpy
    from scipy import ndimage

    core = ndimage.binary_erosion(mask, iterations=2, border_value=1)
    beyond = ~ndimage.binary_dilation(mask)
    share = numpy.clip(likeness, 0, 1)
    share = numpy.where(mask, numpy.maximum(share, 0.51), numpy.minimum(share, 0.49))
    return numpy.where(core, 1.0, numpy.where(beyond, 0.0, share)).astype(numpy.float32)


def _checked(cover: Any) -> Any:
    """The cover, its outermost pixels clear, so that every outline closes. Raises where there is no object."""
    share = float((cover > 0.5).mean())
    if share < LEAST:
        raise InvalidRequest(_NOTHING)
    if share > 0.98:
        raise InvalidRequest(_FULL)
    return cover
