"""Bakes what a fine mesh shows into pictures that a coarse one wears: colours, fine shape, and the light in its folds.

xatlas cuts the coarse mesh open and lays it flat. Each pixel of the flat picture asks the nearest place of the fine
surface that faces the same way. Its normal, told in the coarse surface's own directions, becomes a bump; light is what
of the sky isn't hidden, as seen from many sides (Zhukov et al., "An Ambient Light Illumination Model", 1998).
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from shared.backends.base import require
from shared.errors import InvalidRequest
from shared.solid.mending import thinned
from shared.solid.mesh import Solid
from shared.solid.rendering import Seen, View, looked_at, projected, rastered
from shared.solid.scattering import colours_at, scattered

SIDES = (512, 1024)
MOST = 12_000  # triangles that are laid flat: xatlas' time grows faster than they do
_SAMPLES, _MOST_SAMPLES = 2, 600_000  # places of the fine surface for each pixel
_NEIGHBOURS = 4  # of which the first that faces the same way is asked
_LIGHTS, _LIGHT_SIDE, _COARSER = 40, 160, 2  # directions, pixels of each, and how much coarser the shade is
_AWAY = 0.02  # of the solid's radius: what is nearer hides nothing


def baked(fine: Solid, coarse: Solid, side: int, step: Callable[[str], None] = lambda words: None) -> Solid:
    """The coarse solid with a texture, bumps and shade of that side in pixels. Raises `InvalidRequest`,
    `MissingDependency`."""
    if side not in SIDES:
        raise InvalidRequest(f"The pictures' side is one of {', '.join(map(str, SIDES))} pixels.")
    require("xatlas")
    if len(coarse.faces) > MOST:
        step("Thinning out")
        coarse = thinned(coarse, MOST)
    step("Laying the surface flat")
    flat = laid_flat(coarse)
    seen = _texels(flat, side)
    step("Asking the fine surface")
    colours, normals = _asked(fine, flat, seen)
    step("Looking where light arrives")
    small = _texels(flat, side // _COARSER)
    return replace(
        flat,
        texture=_png(_spread(seen, colours * 255)),
        bumps=_png(_spread(seen, (_told_flat(flat, seen, normals) + 1) * 127.5)),
        shade=_png(_spread(small, _light(flat, small)[:, None] * 255)[..., 0]),
    )


def laid_flat(solid: Solid) -> Solid:
    """The bare solid cut open and laid flat: with `uv` that overlap nowhere, and `seams`. Raises `InvalidRequest`."""
    import numpy
    import xatlas

    shape = solid.welded
    try:
        seams, faces, uv = xatlas.parametrize(shape.vertices.astype(numpy.float32), shape.faces.astype(numpy.uint32))
    except Exception as error:  # its errors have no class of their own
        raise InvalidRequest(f"The mesh can't be laid flat ({str(error)[:80]}). Have it mended first.") from None
    if not len(faces) or not numpy.isfinite(uv).all():
        raise InvalidRequest("The mesh can't be laid flat. Have it mended first.")
    return Solid(
        vertices=shape.vertices[seams],
        faces=faces.astype(numpy.int32),
        uv=uv.clip(0, 1).astype(numpy.float32),
        seams=seams.astype(numpy.int64),
    )


def _texels(flat: Solid, side: int) -> Seen:
    """What of the surface lies under each pixel of the flat picture."""
    import numpy

    assert flat.uv is not None
    columns, rows = flat.uv[:, 0] * side, (1 - flat.uv[:, 1]) * side
    return rastered(numpy.stack([columns, rows, numpy.zeros_like(rows)], axis=1)[flat.faces].astype(float), side)


def _places(flat: Solid, seen: Seen) -> tuple[Any, Any]:
    """Where the pixels that see something lie on the surface (k, 3), and the smooth normals there (k, 3)."""
    import numpy

    corners, weights = flat.faces[seen.face[seen.mask]], seen.weights[seen.mask][:, :, None]
    normals = (flat.normals()[corners] * weights).sum(axis=1)
    return (flat.vertices[corners] * weights).sum(axis=1), normals / numpy.maximum(
        numpy.linalg.norm(normals, axis=1, keepdims=True), 1e-9
    )


def _asked(fine: Solid, flat: Solid, seen: Seen) -> tuple[Any, Any]:
    """The fine surface's colours (k, 3), 0 to 1, and normals (k, 3) nearest to each pixel's place."""
    import numpy
    from scipy.spatial import cKDTree

    places, facing = _places(flat, seen)
    face, weights = scattered(fine, int(min(_MOST_SAMPLES, max(50_000, _SAMPLES * len(places)))))
    found = (fine.vertices[fine.faces[face]] * weights[:, :, None]).sum(axis=1)
    _, near = cKDTree(found).query(places, k=_NEIGHBOURS, workers=-1)
    alike = (fine.face_normals()[face[near]] * facing[:, None]).sum(axis=2) > 0
    face = face[near[numpy.arange(len(near)), alike.argmax(axis=1)]]  # the first where none is
    weights = _weights(fine, face, places)
    normals = (fine.normals()[fine.faces[face]] * weights[:, :, None]).sum(axis=1)
    return colours_at(fine, face, weights), normals / numpy.maximum(
        numpy.linalg.norm(normals, axis=1, keepdims=True), 1e-9
    )


def _weights(solid: Solid, face: Any, places: Any) -> Any:
    """The weights (k, 3) of a face's corners at the place of it that is nearly nearest."""
    import numpy

    a, b, c = (solid.vertices[solid.faces[face, corner]].astype(float) for corner in range(3))
    one, two, to = b - a, c - a, places - a
    (aa, ab, bb), (da, db) = (
        [(x * y).sum(axis=1) for x, y in ((one, one), (one, two), (two, two))],
        [(to * x).sum(axis=1) for x in (one, two)],
    )
    whole = numpy.maximum(aa * bb - ab * ab, 1e-18)
    second, third = (bb * da - ab * db) / whole, (aa * db - ab * da) / whole
    weights = numpy.stack([1 - second - third, second, third], axis=1).clip(0, 1)
    return weights / weights.sum(axis=1, keepdims=True)


def _told_flat(flat: Solid, seen: Seen, normals: Any) -> Any:
    """The normals (k, 3) in the surface's own directions: across and up the flat picture, and outwards."""
    import numpy

    assert flat.uv is not None
    corners = flat.vertices[flat.faces].astype(float)
    sides, moves = corners[:, 1:] - corners[:, :1], flat.uv[flat.faces][:, 1:] - flat.uv[flat.faces][:, :1]
    area = moves[:, 0, 0] * moves[:, 1, 1] - moves[:, 1, 0] * moves[:, 0, 1]
    safe = numpy.where(abs(area) < 1e-12, 1.0, area)[:, None]
    across = (sides[:, 0] * moves[:, 1, 1:] - sides[:, 1] * moves[:, 0, 1:]) / safe
    _, out = _places(flat, seen)
    face = seen.face[seen.mask]
    across = across[face] - out * (across[face] * out).sum(axis=1, keepdims=True)
    across /= numpy.maximum(numpy.linalg.norm(across, axis=1, keepdims=True), 1e-12)
    up = numpy.cross(out, across) * numpy.where(area[face] < 0, -1.0, 1.0)[:, None]
    told = numpy.stack([(normals * each).sum(axis=1) for each in (across, up, out)], axis=1)
    told[:, 2] = numpy.maximum(told[:, 2], 0.05)  # what looks away can't be told by a bump
    return told / numpy.linalg.norm(told, axis=1, keepdims=True)


def _light(flat: Solid, seen: Seen) -> Any:
    """How much of the light from all around arrives at the pixels' places (k,), 0 to 1."""
    import numpy

    places, facing = _places(flat, seen)
    radius = float(numpy.linalg.norm(flat.size)) / 2
    arrives, all_of_it = numpy.zeros(len(places)), numpy.zeros(len(places))
    for number in range(_LIGHTS):
        tilt = math.degrees(math.asin(1 - (2 * number + 1) / _LIGHTS))
        view = View(turn=number * 137.508, tilt=tilt)
        towards = facing @ view.rotation()[2]
        depth = numpy.pad(looked_at(flat, view, _LIGHT_SIDE).depth, 1, constant_values=-numpy.inf)
        at = projected(replace(flat, vertices=numpy.concatenate([flat.vertices, places])), view, _LIGHT_SIDE)
        column, row = (at[len(flat.vertices) :, axis].astype(int) + 1 for axis in (0, 1))
        open_to = at[len(flat.vertices) :, 2] >= depth[row, column] - _AWAY * radius
        arrives += numpy.where(open_to, towards, 0).clip(0)
        all_of_it += towards.clip(0)
    return arrives / numpy.maximum(all_of_it, 1e-9)


def _spread(seen: Seen, values: Any) -> Any:
    """A picture (rows, columns, n) uint8 of the pixels' values (k, n), the nearest one where nothing is seen."""
    import numpy
    from scipy import ndimage

    picture = numpy.zeros((*seen.face.shape, values.shape[1]))
    picture[seen.mask] = values
    nearest = ndimage.distance_transform_edt(~seen.mask, return_distances=False, return_indices=True)
    return picture[tuple(nearest)].round().clip(0, 255).astype(numpy.uint8)


def _png(pixels: Any) -> bytes:
    import numpy
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(numpy.ascontiguousarray(pixels)).save(file, "PNG")
    return file.getvalue()
