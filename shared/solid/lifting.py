"""Lifts a flat picture into a closed, textured solid: an outline, heights over it, a front and a back, one skin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from shared.errors import InvalidRequest
from shared.solid.cutout import Cutout
from shared.solid.inflating import inflated
from shared.solid.mending import smoothed
from shared.solid.mesh import Solid
from shared.solid.outline import Plane, filled
from shared.solid.parts import parted
from shared.solid.texturing import texture_of

RESOLUTION, DEPTH, PARTS, SIZE_MM = 96, 0.7, 0.25, 60.0
_MARGIN = 2  # cells of the grid around the object
_SOFT = 0.7  # cells, or pixels where these are larger: how far the outline is smoothed
_ROUNDED = 1.2  # cells
_ROUNDS = 8  # of smoothing: near the rim, heights follow how the outline passes between the points of the grid
_PART = 0.5  # how high a part rises for its width, at a strength of 1


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How a picture is lifted. `resolution`: cells along the object's longer side. `depth`: 1 makes a ball of a disc.

    `parts`: how much each part of another colour rises by itself, 0 to 1. `back`: `round` mirrors the front, `flat` can
    be laid on a table. `size_mm`: of the longest side.
    """

    resolution: int = RESOLUTION
    depth: float = DEPTH
    parts: float = PARTS
    back: str = "round"
    size_mm: float = SIZE_MM


@dataclass(frozen=True, kw_only=True, eq=False)
class Lift:
    """What a lift was made of, for who looks inside. The grid's rows run downwards.

    `cutout`: the picture and its object. `cover` (rows, columns) float32: the object on the grid. `heights`: in cells.
    `labels` (rows, columns) int: the number of each point's part, of `count`. `cells_per_mm` of the solid.
    """

    cutout: Cutout
    cover: Any
    heights: Any
    labels: Any
    count: int
    cells_per_mm: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Grid:
    """A picture's object on a grid whose rows run downwards. `cover` (rows, columns) float32 is above 0.5 within,
    `pixels` (rows, columns, 3) uint8; `places` turns rows and columns of the grid (n, 2) into the picture's."""

    cover: Any
    pixels: Any
    places: Callable[[Any], Any]


def lift(cutout: Cutout, shape: Shape, step: Callable[[str], None] = lambda words: None) -> tuple[Solid, Lift]:
    """The solid and how it came about; `step` is told what comes next. Raises `InvalidRequest` for too thin a thing."""
    step("Reading the outline")
    grid = on_grid(cutout, shape.resolution)
    step("Solving for the heights")
    heights = inflated(grid.cover)
    labels, count = parted(grid.pixels, grid.cover > 0.5)
    if shape.parts and count > 1:
        step("Raising the parts")
        heights = heights + shape.parts * _PART * _rounded(inflated(grid.cover, labels), grid.cover)
    heights = heights * shape.depth
    step("Joining front and back")
    solid, cells = raised(cutout, grid, heights, shape)
    return solid, Lift(cutout=cutout, cover=grid.cover, heights=heights, labels=labels, count=count, cells_per_mm=cells)


def raised(cutout: Cutout, grid: Grid, heights: Any, shape: Shape) -> tuple[Solid, float]:
    """The solid of heights over a grid (rows, columns), above 0 within, and how many cells make a millimetre of it."""
    grown = _skin(filled(grid.cover), heights, shape.back)
    flat = grown.vertices[:, [1, 0]] * (-1, 1)  # rows and columns of the grid
    if shape.back == "round":
        grown = smoothed(grown, _ROUNDS)
    skin = replace(grown, uv=_uv(grid.places(flat), cutout), texture=texture_of(cutout))
    return skin.scaled_to(shape.size_mm), float(skin.size.max()) / shape.size_mm


def _rounded(heights: Any, cover: Any) -> Any:
    """The heights of parts with their borders rounded off, which follow single pixels of the picture."""
    from scipy import ndimage

    return ndimage.gaussian_filter(heights, _ROUNDED) * (cover > 0.5)


def on_grid(cutout: Cutout, resolution: int) -> Grid:
    """The object with that many cells along its longer side. Raises `InvalidRequest` where it is too thin for them."""
    import numpy
    from scipy import ndimage

    rows, columns = numpy.nonzero(cutout.mask)
    low = numpy.array([rows.min(), columns.min()], float)
    extent = numpy.array([rows.max(), columns.max()], float) - low + 1
    cell = float(extent.max()) / resolution  # pixels
    shape = numpy.ceil(extent / cell).astype(int) + 1 + 2 * _MARGIN
    origin = low + (extent - 1) / 2 - (shape - 1) / 2 * cell

    def places(points: Any) -> Any:
        return points * cell + origin

    grid = places(numpy.moveaxis(numpy.indices(tuple(shape)), 0, -1)).transpose(2, 0, 1)
    soft = ndimage.gaussian_filter(cutout.cover, _SOFT * max(1.0, cell), mode="nearest")
    cover = ndimage.map_coordinates(soft, grid, order=1, mode="constant")
    cover[[0, -1], :] = cover[:, [0, -1]] = 0.0  # what the picture's edge cuts off ends there
    cover = _largest_first(cover)
    if not (cover > 0.5).any():
        raise InvalidRequest("The object is too thin for this resolution. Raise it, or use a larger object.")
    near = numpy.clip(numpy.rint(grid).astype(int), 0, numpy.array(cutout.mask.shape)[:, None, None] - 1)
    return Grid(cover=cover, pixels=cutout.pixels[near[0], near[1]], places=places)


def _largest_first(cover: Any) -> Any:
    """The cover without islands of a point or two, which have no inside."""
    import numpy
    from scipy import ndimage

    labels, count = ndimage.label(cover > 0.5)
    sizes = numpy.bincount(labels.ravel(), minlength=count + 1)
    small = sizes < 4
    small[0] = False
    return numpy.where(small[labels], numpy.minimum(cover, 0.49), cover)


def _skin(plane: Plane, heights: Any, back: str) -> Solid:
    """Front, back, and the rim that both share, in cells of the grid."""
    import numpy

    inner, rim, count = plane.inner, plane.rim, len(plane.inner)
    high = heights[inner[:, 0], inner[:, 1]]
    flat = numpy.concatenate([inner, inner, rim])
    depth = numpy.concatenate([high, -high if back == "round" else 0 * high, numpy.zeros(len(rim))])
    vertices = numpy.stack([flat[:, 1], -flat[:, 0], depth], axis=1)
    # The plane counts its rim after one set of inner points; here there are two.
    before = numpy.where(plane.triangles < count, plane.triangles, plane.triangles + count)[:, ::-1]
    behind = plane.triangles + count
    faces = numpy.concatenate([before, behind]).astype(numpy.int32)
    return Solid(vertices=vertices.astype(numpy.float32), faces=faces)


def _uv(places: Any, cutout: Cutout) -> Any:
    """Places in the texture, v upwards, of rows and columns of the picture (n, 2)."""
    import numpy

    rows, columns = cutout.mask.shape
    uv = numpy.stack([(places[:, 1] + 0.5) / columns, 1 - (places[:, 0] + 0.5) / rows], axis=1)
    return numpy.clip(uv, 0, 1).astype(numpy.float32)
