"""A solid as arrays: what every engine gives and every file is written from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

Array = Any  # a numpy array: its shape and type are told where it stands


@dataclass(frozen=True, kw_only=True, eq=False)
class Solid:
    """Triangles with their colours. Millimetres; x to the right, y up, z towards who looks.

    `vertices` (n, 3) float32; `faces` (m, 3) int32, counter-clockwise seen from outside. Colours are either those of
    `texture`, a PNG, at `uv` (n, 2) float32 with v upwards, or `colours` (n, 3) uint8, or none at all.

    What was baked besides: `bumps`, a PNG of finer normals (glTF's: across and up at `uv`, and outwards), `shade`, a
    grey PNG of how much of the light from all around arrives, and `seams` (n,): vertices are doubled along the seams
    of the texture, and those of one number are one.
    """

    vertices: Array
    faces: Array
    uv: Array | None = None
    texture: bytes | None = None
    colours: Array | None = None
    bumps: bytes | None = None
    shade: bytes | None = None
    seams: Array | None = None

    @property
    def size(self) -> Array:
        """Width, height and depth in millimetres."""
        if not len(self.vertices):
            return self.vertices.sum(axis=0)
        return self.vertices.max(axis=0) - self.vertices.min(axis=0)

    @property
    def volume(self) -> float:
        """Cubic millimetres, by the divergence theorem; only a closed mesh has one."""
        corners = self.vertices.astype("float64")[self.faces]
        return float((corners[:, 0] * _cross(corners[:, 1], corners[:, 2])).sum() / 6)

    @property
    def area(self) -> float:
        """Square millimetres of surface."""
        return float(((self.doubled_normals() ** 2).sum(axis=1) ** 0.5).sum() / 2)

    def doubled_normals(self) -> Array:
        """The normals of the faces (m, 3), each as long as twice its face is large."""
        corners = self.vertices.astype("float64")[self.faces]
        return _cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])

    def face_normals(self) -> Array:
        """Of length 1 (m, 3); 0 for a face without an area."""
        return _unit(self.doubled_normals())

    def normals(self) -> Array:
        """Of the vertices (n, 3) float32: the mean of their faces', weighted by area."""
        import numpy

        seams = numpy.arange(len(self.vertices)) if self.seams is None else self.seams
        doubled, sums = self.doubled_normals(), numpy.zeros((len(self.vertices), 3))
        for corner in range(3):
            numpy.add.at(sums, seams[self.faces[:, corner]], doubled)
        return _unit(sums[seams]).astype(numpy.float32)

    @property
    def welded(self) -> Solid:
        """Its bare shape, without seams: what is closed is seen there."""
        import numpy

        if self.seams is None:
            return self
        _, first, joined = numpy.unique(self.seams, return_index=True, return_inverse=True)
        return Solid(vertices=self.vertices[first], faces=joined[self.faces].astype(numpy.int32))

    def scaled_to(self, longest: float) -> Solid:
        """The same with its longest side that many millimetres, its middle at the origin."""
        low, high = self.vertices.min(axis=0), self.vertices.max(axis=0)
        side = float((high - low).max())
        moved = (self.vertices - (low + high) / 2) * (longest / side if side else 1.0)
        return replace(self, vertices=moved.astype("float32"))

    def vertex_colours(self) -> Array:
        """The colour of each vertex (n, 3) uint8: its own, or the texture's at its place; grey where there is none."""
        import numpy

        if self.colours is not None:
            return self.colours
        if self.texture is None or self.uv is None:
            return numpy.full((len(self.vertices), 3), 180, numpy.uint8)
        return sampled(pixels_of(self.texture), self.uv)


def pixels_of(texture: bytes) -> Array:
    """The texture's pixels (rows, columns, 3) uint8."""
    import io

    import numpy
    from PIL import Image

    with Image.open(io.BytesIO(texture)) as picture:
        return numpy.asarray(picture.convert("RGB"))


def sampled(pixels: Array, uv: Array) -> Array:
    """The pixels nearest to the places `uv` (n, 2), v upwards: (n, 3) uint8."""
    import numpy

    rows, columns = pixels.shape[:2]
    across = numpy.clip((uv[:, 0] * columns).astype(int), 0, columns - 1)
    down = numpy.clip(((1 - uv[:, 1]) * rows).astype(int), 0, rows - 1)
    return pixels[down, across]


def _cross(one: Array, other: Array) -> Array:
    import numpy

    return numpy.cross(one, other)


def _unit(vectors: Array) -> Array:
    import numpy

    lengths = numpy.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / numpy.where(lengths == 0, 1, lengths)
