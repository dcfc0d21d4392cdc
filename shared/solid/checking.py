"""Can it be printed? What a slicer and a printer would stumble over, measured and said in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.solid.mesh import Solid
from shared.solid.voxels import thinner_than, voxels

WALL_MM = 0.8  # two lines of a usual nozzle
BED_MM = 220.0  # the side of a usual printer's table
STEEP = -0.7071  # a face that looks down by more than 45 degrees hangs over
_CELLS = 96
_FOOT = 0.02  # of the height: what lies this low lies on the table


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: `good` or not, or None where it is only told."""

    name: str
    told: str
    good: bool | None = None


def check(solid: Solid, *, upright: bool = True, wall_mm: float = WALL_MM) -> list[Finding]:
    """The findings. `upright`: it is printed as it stands (y up); otherwise on its back (z up)."""
    import numpy
    import trimesh

    solid = solid.welded
    mesh = trimesh.Trimesh(solid.vertices, solid.faces, process=False)
    closed = bool(mesh.is_watertight)
    turned = closed and bool(mesh.is_winding_consistent) and solid.volume > 0
    size = solid.size
    found = [
        Finding("Closed", "every side belongs to two faces" if closed else _holes(mesh), closed),
        Finding("Faces turned outwards", "all" if turned else "no, or not all", turned),
        Finding("Pieces", str(len(mesh.split(only_watertight=False))) if len(solid.faces) else "none", None),
        Finding("Triangles", f"{len(solid.faces):,}", None),
        Finding("Size", " x ".join(f"{side:.1f}" for side in size) + " mm", bool(size.max() <= BED_MM)),
    ]
    if turned:
        found.append(Finding("Volume", f"{solid.volume / 1000:.2f} cm³ ({solid.volume / 1000 * 1.24:.1f} g of PLA)"))
        filled = voxels(solid, _CELLS)
        thin = thinner_than(filled, max(wall_mm, 2 * filled.cell))
        limit = max(wall_mm, 2 * filled.cell)
        found.append(Finding("Thin walls", f"{thin:.1%} of it is thinner than {limit:.1f} mm", thin < 0.02))
    up = 1 if upright else 2
    normals, areas = solid.face_normals(), mesh.area_faces
    middles = solid.vertices[solid.faces].mean(axis=1)[:, up]
    low, height = float(solid.vertices[:, up].min()), float(size[up])
    down = normals[:, up] < STEEP
    on_table = middles < low + _FOOT * height
    hanging = float(areas[down & ~on_table].sum() / max(areas.sum(), 1e-9))
    foot = float(areas[down & on_table].sum() / 100)
    found.append(Finding("Hangs over", f"{hanging:.0%} of its surface, more steeply than 45°", hanging < 0.1))
    found.append(Finding("Foot", f"{foot:.1f} cm² would stand on the table", foot > 0.2))
    assert numpy.isfinite(hanging)
    return found


def _holes(mesh: Any) -> str:
    import numpy

    _, counts = numpy.unique(numpy.sort(mesh.edges, axis=1), axis=0, return_counts=True)
    return f"{int((counts == 1).sum()):,} sides belong to one face alone, {int((counts > 2).sum()):,} to more than two"
