"""What a solid measures: its size, whether it is closed, and how well its outline is that of its picture."""

from __future__ import annotations

from typing import Any

from shared.solid.mesh import Solid
from shared.solid.rendering import View, silhouette

SIDE = 256  # pixels: of the pictures that outlines are compared in


def figures(solid: Solid) -> dict[str, Any]:
    """Plain numbers for a receipt: triangles, size in millimetres, whether it is closed and what it holds if it is."""
    import trimesh

    shape = solid.welded
    mesh = trimesh.Trimesh(shape.vertices, shape.faces, process=False)
    closed = bool(mesh.is_watertight and mesh.is_winding_consistent)
    found: dict[str, Any] = {
        "triangles": len(solid.faces),
        "sides_mm": [round(float(side), 2) for side in solid.size],
        "watertight": closed,
        "area_cm2": round(solid.area / 100, 3),
    }
    if closed:
        found["volume_cm3"] = round(solid.volume / 1000, 3)
    return found


def agreement(solid: Solid, mask: Any) -> float:
    """How well the solid's outline from the front is the mask's (rows, columns) bool: the part that both cover over the
    part that either does (intersection over union), 1 where they agree. Their places and sizes don't count."""
    import numpy

    ours, theirs = _framed(silhouette(solid, View(), 2 * SIDE)), _framed(mask)
    return float(numpy.logical_and(ours, theirs).sum() / max(1, numpy.logical_or(ours, theirs).sum()))


def _framed(mask: Any) -> Any:
    """What is set, in the middle of a square that its longer side fills."""
    import numpy
    from PIL import Image

    rows, columns = numpy.nonzero(mask)
    framed = numpy.zeros((SIDE, SIDE), bool)
    if not len(rows):
        return framed
    cut = mask[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    scale = SIDE / max(cut.shape)
    height, width = (max(1, round(side * scale)) for side in cut.shape)
    grey = Image.fromarray(cut.astype(numpy.uint8) * 255).resize((width, height), Image.Resampling.BILINEAR)
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    framed[top : top + height, left : left + width] = numpy.asarray(grey) > 127
    return framed
