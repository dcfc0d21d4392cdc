"""Mends, thins out and smooths meshes. trimesh sews what can be sewn; what is left open is built anew of cells."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from shared.errors import InvalidRequest
from shared.solid.isosurface import surface
from shared.solid.mesh import Solid
from shared.solid.voxels import Voxels

CELLS = 96
_SHELL = 0.35  # cells: by how much the surface is thicker, so that thin walls stay
_SHEET = 1.2  # cells: half the thickness of a mesh that encloses nothing
_BALLS = (1, 2, 4, 8)  # cells: radii that holes are looked for with
_ENCLOSED = 0.01  # of all cells: less is no inside


def mended(solid: Solid, cells: int = CELLS) -> tuple[Solid, str]:
    """A closed mesh, and what was done. Where it was built anew it has the colours of its vertices, and no texture."""
    import trimesh

    sewing: Any = trimesh.repair  # it has no types
    shape = solid.welded
    mesh = trimesh.Trimesh(shape.vertices.astype(float), shape.faces, process=False)
    if mesh.is_watertight and mesh.is_winding_consistent and mesh.volume > 0:
        return solid, "Nothing had to be done: it is closed, and its faces are turned outwards."
    mesh.merge_vertices(merge_tex=True, merge_norm=True)
    mesh.update_faces(mesh.nondegenerate_faces())
    mesh.update_faces(mesh.unique_faces())
    mesh.remove_unreferenced_vertices()
    sewing.fill_holes(mesh)
    sewing.fix_normals(mesh, multibody=True)
    if mesh.is_watertight and mesh.is_winding_consistent and mesh.volume > 0:
        sewn = Solid(vertices=mesh.vertices.astype("float32"), faces=mesh.faces.astype("int32"))
        return _coloured_like(sewn, solid), "Sewn: doubled points joined, small holes filled, faces turned outwards."
    return rebuilt(solid, cells), (
        f"Built anew of {cells} cells along its longest side, since it could not be sewn: what is finer is lost."
    )


def rebuilt(solid: Solid, cells: int = CELLS) -> Solid:
    """The surface around all that the mesh encloses or nearly encloses. Raises `InvalidRequest` for nothing."""
    import numpy
    from scipy import ndimage

    low, high = solid.vertices.min(axis=0).astype(float), solid.vertices.max(axis=0).astype(float)
    cell = float((high - low).max()) / cells
    if not cell:
        raise InvalidRequest("The mesh has no extent, so that nothing can be built of it. Use another file.")
    shape = numpy.ceil((high - low) / cell).astype(int) + 1 + 2 * (max(_BALLS) + 2)
    origin = (low + high) / 2 - (shape - 1) / 2 * cell
    points = numpy.concatenate([_spread(solid, cell / 2), solid.vertices])
    free = numpy.ones(tuple(shape), bool)
    free[tuple(numpy.rint((points - origin) / cell).astype(int).T)] = False
    distance = ndimage.distance_transform_edt(free)
    outside = _around(distance, free)
    sheet = not (free & ~outside).any()
    field = _SHEET - distance if sheet else numpy.where(outside, -distance, distance) + _SHELL * ~free
    vertices, faces = surface(ndimage.gaussian_filter(field, 0.8))
    grid = Voxels(filled=~outside, cell=cell, origin=origin)
    made = Solid(vertices=grid.placed(vertices).astype(numpy.float32), faces=faces.astype(numpy.int32))
    return _coloured_like(made, solid)


def _around(distance: Any, free: Any) -> Any:
    """The cells outside: what can be reached from a corner by a ball too large for the holes, then by smaller ones.

    The smallest ball is taken that leaves something enclosed; where none does, the mesh is a sheet, and stays one.
    """
    from scipy import ndimage

    for radius in _BALLS:
        labels, _ = ndimage.label(distance > radius)
        outside = labels == labels[0, 0, 0]
        if ((labels > 0) & ~outside).sum() > _ENCLOSED * free.size:
            break
    else:
        radius = _BALLS[0]
        labels, _ = ndimage.label(distance > radius)
        outside = labels == labels[0, 0, 0]
    # Back to the surface, but not through it.
    return ndimage.binary_dilation(outside, iterations=radius, mask=free)


def _spread(solid: Solid, apart: float) -> Any:
    """Points on the faces, no farther apart than that."""
    import numpy

    corners = solid.vertices[solid.faces].astype(float)
    longest = numpy.linalg.norm(corners - numpy.roll(corners, 1, axis=1), axis=2).max(axis=1)
    parts = numpy.clip(numpy.ceil(longest / apart).astype(int), 1, 400)
    found = []
    for count in numpy.unique(parts):
        one, two = numpy.meshgrid(numpy.arange(count + 1), numpy.arange(count + 1), indexing="ij")
        kept = one + two <= count
        weights = numpy.stack([one[kept], two[kept], count - one[kept] - two[kept]], axis=1) / count
        found.append((weights @ corners[parts == count]).reshape(-1, 3))
    return numpy.concatenate(found)


def thinned(solid: Solid, triangles: int) -> Solid:
    """About that many triangles, by quadric errors (Garland and Heckbert, SIGGRAPH 1997)."""
    import fast_simplification

    if triangles >= len(solid.faces):
        return solid
    vertices, faces = fast_simplification.simplify(
        solid.vertices.astype("float32"), solid.faces.astype("int32"), 1 - triangles / len(solid.faces)
    )
    return _coloured_like(Solid(vertices=vertices.astype("float32"), faces=faces.astype("int32")), solid)


def smoothed(solid: Solid, rounds: int) -> Solid:
    """Taubin's smoothing (SIGGRAPH 1995), which hardly shrinks: small bumps go, the shape stays."""
    import trimesh

    mesh = trimesh.Trimesh(solid.vertices.astype(float), solid.faces, process=False)
    smoothing: Any = trimesh.smoothing  # it has no types
    smoothing.filter_taubin(mesh, iterations=rounds)
    return replace(solid, vertices=mesh.vertices.astype("float32"))


def _coloured_like(made: Solid, solid: Solid) -> Solid:
    """The new mesh with the place in the texture, or the colour, of the old one's nearest vertex."""
    from scipy.spatial import cKDTree

    _, nearest = cKDTree(solid.vertices).query(made.vertices)
    if solid.uv is not None and solid.texture is not None:
        return replace(made, uv=solid.uv[nearest], texture=solid.texture)
    return replace(made, colours=None if solid.colours is None else solid.colours[nearest])
