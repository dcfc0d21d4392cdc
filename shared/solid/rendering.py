"""Draws a solid on the processor, in plain numpy: previews, turntables, silhouettes and pictures to learn from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.solid.mesh import Solid, pixels_of, sampled

if TYPE_CHECKING:
    from PIL.Image import Image

STYLES = {"textured": "Texture", "clay": "Clay", "normals": "Normals", "wireframe": "Wireframe"}
_LIGHT = (0.35, 0.55, 0.76)  # from above, to the right, and from who looks
_AMBIENT = 0.45
_CLAY = (205, 198, 188)
_LINE = 0.06  # how near to a triangle's side, as a share of it, counts as wire
_MOST = 4_000_000  # candidate pixels at once: of larger triangles fewer are drawn together


@dataclass(frozen=True, kw_only=True)
class View:
    """From where: `turn` degrees around the upright axis, `tilt` degrees from above; `zoom` 1 shows all of it."""

    turn: float = 0.0
    tilt: float = 0.0
    zoom: float = 1.0

    def rotation(self) -> Any:
        """The matrix (3, 3) that brings the world before the camera, which looks along -z."""
        import numpy

        a, b = math.radians(self.turn), math.radians(self.tilt)
        around = numpy.array([[math.cos(a), 0, -math.sin(a)], [0, 1, 0], [math.sin(a), 0, math.cos(a)]])
        over = numpy.array([[1, 0, 0], [0, math.cos(b), -math.sin(b)], [0, math.sin(b), math.cos(b)]])
        return over @ around


@dataclass(frozen=True, kw_only=True, eq=False)
class Seen:
    """What falls on each pixel (rows, columns): `face`, its number or -1; `weights` (.., 3) of its corners; `depth`."""

    face: Any
    weights: Any
    depth: Any

    @property
    def mask(self) -> Any:
        """Where the solid is seen."""
        return self.face >= 0


def reach(solid: Solid) -> tuple[Any, float]:
    """The middle of the solid, and the radius of a ball around it that holds it."""
    import numpy

    middle = (solid.vertices.max(axis=0) + solid.vertices.min(axis=0)) / 2
    return middle, float(numpy.linalg.norm(solid.vertices - middle, axis=1).max()) or 1.0


def projected(solid: Solid, view: View, side: int) -> Any:
    """Each vertex (n, 3): column and row of the picture, and how near it is; parallel, without perspective."""
    import numpy

    middle, radius = reach(solid)
    turned = (solid.vertices - middle) @ view.rotation().T
    scale = side / 2 / radius * view.zoom * 0.98
    return numpy.stack([side / 2 + turned[:, 0] * scale, side / 2 - turned[:, 1] * scale, turned[:, 2]], axis=1)


def looked_at(solid: Solid, view: View, side: int, *, closed: bool = False) -> Seen:
    """What each pixel of a square picture sees. Of a `closed` solid no face is seen from behind: that takes half."""
    return rastered(projected(solid, view, side)[solid.faces], side, closed=closed)


def rastered(corners: Any, side: int, *, closed: bool = False) -> Seen:
    """The same for faces whose `corners` (m, 3, 3) are columns, rows and how near they are."""
    import numpy

    face = numpy.full(side * side, -1)
    weights, depth = numpy.zeros((side * side, 3), numpy.float32), numpy.full(side * side, -numpy.inf)
    low = numpy.clip(numpy.ceil(corners[:, :, :2].min(axis=1) - 0.5).astype(int), 0, side)
    high = numpy.clip(numpy.floor(corners[:, :, :2].max(axis=1) - 0.5).astype(int) + 1, 0, side)
    extent = numpy.maximum(high - low, 0)
    if closed:  # the picture's rows run downwards, so that what faces us runs clockwise in it
        extent[_doubled(*(corners[:, corner, :2] for corner in range(3))) >= 0] = 0
    for chosen in _batches(extent[:, 0] * extent[:, 1]):
        pixel, which, weight = _covered(corners, low, extent, chosen, side)
        near = (weight * corners[which][:, :, 2]).sum(axis=1)
        better = near > depth[pixel]
        pixel, which, weight, near = pixel[better], which[better], weight[better], near[better]
        order = numpy.argsort(near, kind="stable")  # the nearest is written last, and stays
        face[pixel[order]], depth[pixel[order]], weights[pixel[order]] = which[order], near[order], weight[order]
    shape = (side, side)
    return Seen(face=face.reshape(shape), weights=weights.reshape(*shape, 3), depth=depth.reshape(shape))


def _batches(counts: Any) -> Any:
    """The numbers of faces that cover something, in sets whose pixels fit in memory."""
    import numpy

    numbers = numpy.flatnonzero(counts)
    ends = numpy.cumsum(counts[numbers])
    return numpy.split(numbers, numpy.searchsorted(ends, numpy.arange(_MOST, ends[-1] if len(ends) else 0, _MOST)))


def crossings(corners: Any, shape: tuple[int, int]) -> tuple[Any, Any, Any, Any]:
    """Where lines along z through the points of a grid (columns, rows) cross faces, whose `corners` are (m, 3, 3).

    Of each crossing: its column and row, its z, and whether the line, going up, enters there.
    """
    import numpy

    moved = corners + numpy.array([0.5, 0.5, 0.0])  # points of the grid are the middles of pixels
    size = numpy.array(shape)
    low = numpy.clip(numpy.ceil(moved[:, :, :2].min(axis=1) - 0.5).astype(int), 0, size)
    high = numpy.clip(numpy.floor(moved[:, :, :2].max(axis=1) - 0.5).astype(int) + 1, 0, size)
    extent = numpy.maximum(high - low, 0)
    found = []
    for chosen in _batches(extent[:, 0] * extent[:, 1]):
        pixel, which, weight = _covered(moved, low, extent, chosen, shape[0], open_sides=True)
        height = (weight * moved[which][:, :, 2]).sum(axis=1)
        enters = _doubled(*(moved[which, corner, :2] for corner in range(3))) < 0
        found.append((pixel % shape[0], pixel // shape[0], height, enters))
    if not found:
        return numpy.zeros(0, int), numpy.zeros(0, int), numpy.zeros(0), numpy.zeros(0, bool)
    column, row, height, enters = (numpy.concatenate(each) for each in zip(*found, strict=True))
    return column, row, height, enters


def _covered(
    corners: Any, low: Any, extent: Any, chosen: Any, side: int, *, open_sides: bool = False
) -> tuple[Any, Any, Any]:
    """The pixels within the chosen faces: their numbers, their face, and the weights of its corners.

    `open_sides`: a place on a side that two faces share belongs to one of them alone.
    """
    import numpy

    counts = extent[chosen, 0] * extent[chosen, 1]
    which = numpy.repeat(chosen, counts)
    within = numpy.arange(counts.sum()) - numpy.repeat(numpy.cumsum(counts) - counts, counts)
    column = low[which, 0] + within % extent[which, 0]
    row = low[which, 1] + within // extent[which, 0]
    a, b, c = (corners[which, corner, :2] for corner in range(3))
    place = numpy.stack([column + 0.5, row + 0.5], axis=1)
    if open_sides:
        place = place + numpy.array([1.7e-5, 2.9e-5])  # beside every side and corner, for all faces alike
    whole = _doubled(a, b, c)
    safe = numpy.where(whole == 0, 1, whole)
    one, two = _doubled(place, b, c) / safe, _doubled(a, place, c) / safe
    weight = numpy.stack([one, two, 1 - one - two], axis=1)
    inside = (weight >= -1e-9).all(axis=1) & (whole != 0)
    return (row * side + column)[inside], which[inside], weight[inside]


def _doubled(a: Any, b: Any, c: Any) -> Any:
    """Twice the signed area."""
    return (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])


def silhouette(solid: Solid, view: View, side: int) -> Any:
    """Where the solid is seen (rows, columns) bool."""
    return looked_at(solid, view, side).mask


def drawn(solid: Solid, view: View, side: int = 256, style: str = "textured", *, closed: bool = False) -> Image:
    """A picture of the solid on white, smoothed by drawing it at twice the size.

    `style`: one of `STYLES`, or `unlit`: its colours without light and shade.
    """
    import numpy
    from PIL import Image

    seen = looked_at(solid, view, 2 * side, closed=closed)
    pixels = numpy.empty((2 * side, 2 * side, 3), numpy.uint8)
    pixels[:] = 255
    pixels[seen.mask] = _coloured(solid, view, seen, style)
    return Image.fromarray(pixels).resize((side, side), Image.Resampling.BOX)


def _coloured(solid: Solid, view: View, seen: Seen, style: str) -> Any:
    """The colours of the pixels that see something (k, 3) uint8."""
    import numpy

    faces, weights = solid.faces[seen.face[seen.mask]], seen.weights[seen.mask][:, :, None]
    normals = (solid.normals()[faces] * weights).sum(axis=1) @ view.rotation().T
    if style == "normals":
        return ((normals + 1) * 127.5).clip(0, 255).astype(numpy.uint8)
    worn = style in ("textured", "unlit")
    colours = _own_colours(solid, faces, weights) if worn else numpy.array(_CLAY, float)
    if style == "unlit":
        return colours.clip(0, 255).astype(numpy.uint8)
    light = _AMBIENT + (1 - _AMBIENT) * numpy.maximum(normals @ numpy.array(_LIGHT), 0)
    lit = colours * light[:, None]
    if style == "wireframe":
        lit = numpy.where(seen.weights[seen.mask].min(axis=1)[:, None] < _LINE, (20.0, 90.0, 85.0), lit)
    return lit.clip(0, 255).astype(numpy.uint8)


def _own_colours(solid: Solid, faces: Any, weights: Any) -> Any:
    if solid.texture is not None and solid.uv is not None:
        return sampled(pixels_of(solid.texture), (solid.uv[faces] * weights).sum(axis=1)).astype(float)
    return (solid.vertex_colours()[faces] * weights).sum(axis=1)
