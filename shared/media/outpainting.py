"""Enlarges a picture on its sides: the larger picture, filled from its edges, and the mask of what is to be drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.errors import InvalidRequest

if TYPE_CHECKING:
    from PIL import Image

Sides = tuple[float, float, float, float]  # left, top, right, bottom, as shares of the picture's width or height
_SEAM = 32  # one pixel of the picture's own edge is drawn anew for each so many of its shorter side ...
_LEAST = 8  # ... but as many as the autoencoders make one latent of
_MUCH = 1.25  # times: less room than this is filled with more of what is new
_BLUR = 16  # parts of the shorter side: the fill has the edge's colours and no streaks


@dataclass(frozen=True)
class Enlarged:
    """A larger picture (RGB), a mask (L) that is white where it is to be drawn, and how large the old one is on it."""

    picture: Image.Image
    mask: Image.Image
    placed: tuple[int, int]


def enlarged_size(size: tuple[int, int], sides: Sides) -> tuple[int, int]:
    """Width and height in pixels of a picture of that size with so much more on its sides."""
    left, top, right, bottom = sides
    return round(size[0] * (1 + left + right)), round(size[1] * (1 + top + bottom))


def to_shape(size: tuple[int, int], sides: Sides, shape: tuple[int, int]) -> Sides:
    """The sides with as much more on both of two as makes the picture of that shape (width and height of it)."""
    left, top, right, bottom = sides
    width, height = enlarged_size(size, sides)
    wider = max(0.0, height * shape[0] / shape[1] - width) / size[0] / 2
    taller = max(0.0, width * shape[1] / shape[0] - height) / size[1] / 2
    return left + wider, top + taller, right + wider, bottom + taller


def enlarge(
    picture: Image.Image, sides: Sides, size: tuple[int, int], *, mask: Image.Image | None = None, grow: bool = False
) -> Enlarged:
    """A picture of `size` (pixels) with this RGB one on it.

    The picture keeps its pixels where it fits, is scaled down where it doesn't, and up where there is much more room;
    with `grow` it is scaled to the size in any case. What is left over is shared out as `sides` say, or in halves. The
    mask reaches a little over the picture's edge, so that the seam can be soft. `mask`: what of the picture itself is
    to be drawn anew too (L, white).
    Raises `InvalidRequest` where nothing new would be drawn.
    """
    from PIL import Image as images

    wide, tall = enlarged_size(picture.size, sides)
    scale = min(size[0] / wide, size[1] / tall)
    if not grow and 1 <= scale < _MUCH:
        scale = 1.0
    placed = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    room = size[0] - placed[0], size[1] - placed[1]
    if room == (0, 0) or not (any(sides) or grow):
        raise InvalidRequest("Nothing would be added. Say how far on at least one side, or choose another shape.")
    if placed != picture.size:
        picture = picture.resize(placed, images.Resampling.LANCZOS)
    left, top = (round(space * _share(sides[i], sides[i + 2])) for i, space in enumerate(room))
    edges = left, top, room[0] - left, room[1] - top
    new = images.new("L", size, 255)
    kept = images.new("L", placed, 0) if mask is None else mask.resize(placed, images.Resampling.NEAREST)
    box = _inside(placed, edges)
    new.paste(kept.crop(box), (left + box[0], top + box[1]))
    return Enlarged(_filled(picture, edges), new, placed)


def _share(before: float, after: float) -> float:
    return before / (before + after) if before + after else 0.5


def _inside(size: tuple[int, int], edges: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """What of the picture stays as it is: all but a strip along the edges beside which something new comes."""
    short = min(size)
    seam = min(max(short // _SEAM, _LEAST), short // 4)
    left, top, right, bottom = (seam if edge else 0 for edge in edges)
    return left, top, size[0] - right, size[1] - bottom


def _filled(picture: Image.Image, edges: tuple[int, int, int, int]) -> Image.Image:
    """The picture with so many pixels (left, top, right, bottom) of its edge's colours around it, blurred."""
    import numpy
    from PIL import Image as images
    from PIL import ImageFilter

    left, top, right, bottom = edges
    around = numpy.pad(numpy.asarray(picture), ((top, bottom), (left, right), (0, 0)), "edge")
    whole = images.fromarray(around).filter(ImageFilter.GaussianBlur(max(1, min(picture.size) // _BLUR)))
    whole.paste(picture, (left, top))
    return whole
