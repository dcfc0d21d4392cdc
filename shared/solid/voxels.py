"""Which cells of a cube a solid fills: by how often a line through each has entered it more often than left it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.solid.mesh import Solid
from shared.solid.rendering import crossings

_MARGIN = 2  # cells around the solid


@dataclass(frozen=True, kw_only=True, eq=False)
class Voxels:
    """`filled` (x, y, z) bool; `cell` in millimetres; `origin` (3,): the middle of the first cell, in millimetres."""

    filled: Any
    cell: float
    origin: Any

    def placed(self, vertices: Any) -> Any:
        """Places in millimetres (n, 3) of places in cells."""
        return self.origin + vertices * self.cell


def voxels(solid: Solid, cells: int) -> Voxels:
    """The solid with that many cells along its longest side. Winding numbers: parts that overlap count once."""
    import numpy

    low, high = solid.vertices.min(axis=0).astype(float), solid.vertices.max(axis=0).astype(float)
    cell = float((high - low).max()) / cells or 1.0
    shape = numpy.ceil((high - low) / cell).astype(int) + 2 * _MARGIN
    origin = (low + high) / 2 - (shape - 1) / 2 * cell
    places = (solid.vertices - origin) / cell
    column, row, height, enters = crossings(places[solid.faces], (int(shape[0]), int(shape[1])))
    level = numpy.clip(numpy.ceil(height).astype(int), 0, shape[2])
    change = numpy.zeros((shape[0], shape[1], shape[2] + 1), numpy.int32)
    numpy.add.at(change, (column, row, level), numpy.where(enters, 1, -1))
    filled = numpy.cumsum(change, axis=2)[:, :, :-1] > 0
    return Voxels(filled=filled, cell=cell, origin=origin)


def thinner_than(found: Voxels, millimetres: float) -> float:
    """The share of the volume, 0 to 1, where no ball of that diameter fits in: walls that a printer may leave out."""
    from scipy import ndimage

    radius = millimetres / 2 / found.cell
    core = ndimage.distance_transform_edt(found.filled) > radius
    reached = ndimage.distance_transform_edt(~core) <= radius + 1 if core.any() else core
    return 1 - float((reached & found.filled).sum() / max(1, found.filled.sum()))
