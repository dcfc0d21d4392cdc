"""Gaussian splats: a cloud of soft, flat, coloured discs, sampled from a solid's surface or learned from pictures.

The file's form is that of Kerbl et al., "3D Gaussian Splatting" (SIGGRAPH 2023), which most viewers read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from shared.solid.mesh import Solid
from shared.solid.scattering import colours_at, scattered

COUNT = 20_000
_C0 = 0.28209479177387814  # the constant spherical harmonic
_THIN = 0.15  # of its width: how thick a disc is
_OPAQUE = 0.96
# In files y points down, and the whole lies in a ball of this radius: so viewers show it upright, and all of it.
_BALL, _OVER = 0.6, (1, -1, -1)


@dataclass(frozen=True, kw_only=True, eq=False)
class Splats:
    """`centres` (n, 3) float32; `scales` (n, 3) standard deviations along the axes; `turns` (n, 4) quaternions, w
    first; `colours` (n, 3) 0 to 1; `opacities` (n,) 0 to 1."""

    centres: Any
    scales: Any
    turns: Any
    colours: Any
    opacities: Any


def sampled_from(solid: Solid, count: int = COUNT, seed: int = 0) -> Splats:
    """Discs spread evenly over the surface, each lying on it, as wide as they must be to cover it.

    The solid is brought into a ball of radius 1 around the origin, which viewers of splats expect.
    """
    import numpy

    low, high = solid.vertices.min(axis=0), solid.vertices.max(axis=0)
    radius = float(numpy.linalg.norm(solid.vertices - (low + high) / 2, axis=1).max()) or 1.0
    solid = replace(solid, vertices=(solid.vertices - (low + high) / 2) / radius)

    doubled = solid.doubled_normals()
    areas = numpy.linalg.norm(doubled, axis=1)
    face, weights = scattered(solid, count, seed)
    centres = (solid.vertices[solid.faces[face]] * weights[:, :, None]).sum(axis=1)
    colours = colours_at(solid, face, weights)
    width = float(numpy.sqrt(areas.sum() / 2 / count))
    scales = numpy.tile([width, width, width * _THIN], (count, 1))
    normals = doubled[face] / numpy.maximum(areas[face], 1e-12)[:, None]
    return Splats(
        centres=centres.astype(numpy.float32),
        scales=scales.astype(numpy.float32),
        turns=_turned_to(normals).astype(numpy.float32),
        colours=colours.astype(numpy.float32),
        opacities=numpy.full(count, _OPAQUE, numpy.float32),
    )


def _turned_to(normals: Any) -> Any:
    """Quaternions (n, 4) that turn the z axis to the normals."""
    import numpy

    x, y, z = normals.T
    half = numpy.stack([1 + z, -y, x, numpy.zeros_like(x)], axis=1)
    half[z < -0.9999] = (0, 1, 0, 0)  # turned over
    return half / numpy.linalg.norm(half, axis=1, keepdims=True)


def _over(turns: Any) -> Any:
    """The quaternions (n, 4) after half a turn around x, which is its own reverse."""
    import numpy

    w, x, y, z = turns.T
    return numpy.stack([-x, w, -z, y], axis=1)


def ply(splats: Splats, comment: str = "") -> bytes:
    """The file. `comment`: a line for its head."""
    import numpy

    count = len(splats.centres)
    centres, turns = splats.centres * _BALL * _OVER, _over(splats.turns)
    opacity = numpy.clip(splats.opacities, 1e-4, 1 - 1e-4)
    columns = [
        *zip("xyz", centres.T, strict=True),
        *((f"n{axis}", numpy.zeros(count)) for axis in "xyz"),
        *((f"f_dc_{n}", (splats.colours[:, n] - 0.5) / _C0) for n in range(3)),
        ("opacity", numpy.log(opacity / (1 - opacity))),
        *((f"scale_{n}", numpy.log(numpy.maximum(splats.scales[:, n] * _BALL, 1e-9))) for n in range(3)),
        *((f"rot_{n}", turns[:, n]) for n in range(4)),
    ]
    head = ["ply", "format binary_little_endian 1.0", *([f"comment {comment}"] if comment else [])]
    head += [f"element vertex {count}", *(f"property float {name}" for name, _ in columns), "end_header", ""]
    table = numpy.stack([values for _, values in columns], axis=1).astype("<f4")
    return "\n".join(head).encode("ascii") + table.tobytes()


def read_ply(data: bytes) -> Splats:
    """Read such a file back. Raises `ValueError` for another kind of file."""
    import numpy

    head, mark, body = data.partition(b"end_header\n")
    lines = head.decode("ascii", "replace").splitlines()
    names = [line.split()[-1] for line in lines if line.startswith("property float")]
    counts = [
        int(line.split()[-1]) for line in lines if line.startswith("element vertex") and line.split()[-1].isdigit()
    ]
    if not mark or "f_dc_0" not in names or not counts or len(body) < 4 * counts[0] * len(names):
        raise ValueError("no file of Gaussian splats")
    table = numpy.frombuffer(body, "<f4", counts[0] * len(names)).reshape(counts[0], len(names))
    column = {name: table[:, place] for place, name in enumerate(names)}

    def several(*wanted: str) -> Any:
        return numpy.stack([column[name] for name in wanted], axis=1)

    return Splats(
        centres=several("x", "y", "z") / _BALL * _OVER,
        scales=numpy.exp(several("scale_0", "scale_1", "scale_2")) / _BALL,
        turns=_over(several("rot_0", "rot_1", "rot_2", "rot_3")),
        colours=several("f_dc_0", "f_dc_1", "f_dc_2") * _C0 + 0.5,
        opacities=1 / (1 + numpy.exp(-column["opacity"])),
    )
