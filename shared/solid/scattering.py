"""Places spread by chance, and evenly, over a solid's surface."""

from __future__ import annotations

from typing import Any

from shared.solid.mesh import Solid, pixels_of, sampled


def scattered(solid: Solid, count: int, seed: int = 0) -> tuple[Any, Any]:
    """Of each place, the face that it lies on (count,) and the weights of its corners (count, 3)."""
    import numpy

    noise = numpy.random.default_rng(seed)
    areas = numpy.linalg.norm(solid.doubled_normals(), axis=1)
    face = numpy.searchsorted(numpy.cumsum(areas) / areas.sum(), noise.random(count)).clip(0, len(areas) - 1)
    one, two = numpy.sqrt(noise.random(count)), noise.random(count)
    return face, numpy.stack([1 - one, one * (1 - two), one * two], axis=1)


def colours_at(solid: Solid, face: Any, weights: Any) -> Any:
    """The colours (n, 3), 0 to 1, of places on a solid: its texture's, or between those of its vertices."""
    corners, share = solid.faces[face], weights[:, :, None]
    if solid.texture is not None and solid.uv is not None:
        return sampled(pixels_of(solid.texture), (solid.uv[corners] * share).sum(axis=1)) / 255
    return (solid.vertex_colours()[corners] * share).sum(axis=1) / 255
