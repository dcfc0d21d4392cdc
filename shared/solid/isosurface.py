"""The surface in a field of numbers where they cross zero, in triangles: marching tetrahedra.

Each cube of the grid is cut into six tetrahedra that share its diagonal, alike in all cubes; within one the surface has
no two readings, so that what comes is closed and a manifold whatever the field (Doi and Koide, IEICE Transactions E74,
1991). Marching cubes (Lorensen and Cline, SIGGRAPH 1987) makes fewer triangles and has such cases.
"""

from __future__ import annotations

from functools import cache
from itertools import permutations
from typing import Any

_NEAREST = 0.02  # of an edge: no nearer to a point of the grid, or triangles would have no area


def surface(field: Any) -> tuple[Any, Any]:
    """Vertices (n, 3) float64 in cells of the grid and faces (m, 3) int64, turned outwards.

    `field` (i, j, k) is positive within; beyond its edges it is taken to be negative, so that every surface closes.
    """
    import numpy

    values = numpy.pad(numpy.asarray(field, numpy.float32), 1, constant_values=-1.0)
    values[values == 0] = -1e-9
    inside, shape = values > 0, values.shape
    strides = numpy.array([shape[1] * shape[2], shape[2], 1])
    whole: Any = sum(inside[_corner(c)].astype(numpy.uint8) for c in range(8))
    i, j, k = numpy.nonzero((whole > 0) & (whole < 8))
    cells = numpy.stack([i, j, k], axis=1) @ strides
    flat, triangles = inside.ravel(), []
    for corners, cases in _table():
        # Of each tetrahedron: the numbers of its corners among the grid's points.
        ids = cells[:, None] + numpy.array([[(c >> 2 & 1), (c >> 1 & 1), c & 1] for c in corners]) @ strides
        code = flat[ids] @ numpy.array([1, 2, 4, 8])
        for case, three in cases:
            chosen = ids[code == case]
            if len(chosen):
                ends = [(chosen[:, a], chosen[:, b]) for a, b in three]
                triangles.append(
                    numpy.stack([numpy.minimum(a, b) * len(flat) + numpy.maximum(a, b) for a, b in ends], 1)
                )
    if not triangles:
        return numpy.zeros((0, 3)), numpy.zeros((0, 3), int)
    crossed, faces = numpy.unique(numpy.concatenate(triangles), return_inverse=True)
    return _places(crossed, values) - 1, faces.reshape(-1, 3)


def _corner(number: int) -> tuple[slice, ...]:
    """The grid's points that are that corner of a cube, for all cubes. Corners count in bits: i, j, k."""
    return tuple(slice(bit, None if bit else -1) for bit in (number >> 2 & 1, number >> 1 & 1, number & 1))


def _places(edges: Any, values: Any) -> Any:
    """Where each edge is crossed, in cells."""
    import numpy

    low, high = numpy.divmod(edges, values.size)
    one, other = values.ravel()[low].astype(float), values.ravel()[high].astype(float)
    share = numpy.clip(one / (one - other), _NEAREST, 1 - _NEAREST)[:, None]
    ends = [numpy.stack(numpy.unravel_index(each, values.shape), axis=1) for each in (low, high)]
    return ends[0] * (1 - share) + ends[1] * share


@cache
def _table() -> list[tuple[list[int], list[tuple[int, tuple[tuple[int, int], ...]]]]]:
    """For each of the six tetrahedra: its corners of the cube, and for each case of which are within, its triangles.

    A triangle is three edges, each between two of the tetrahedron's corners, in the order that turns it outwards.
    """
    import numpy

    found = []
    for order in permutations((4, 2, 1)):
        corners = [0, order[0], order[0] | order[1], 7]
        points = numpy.array([[c >> 2 & 1, c >> 1 & 1, c & 1] for c in corners], float)
        cases = []
        for case in range(1, 15):
            within = [n for n in range(4) if case >> n & 1]
            without = [n for n in range(4) if not case >> n & 1]
            outwards = points[without].mean(axis=0) - points[within].mean(axis=0)
            for edges in _triangles(within, without):
                a, b, c = ((points[one] + points[other]) / 2 for one, other in edges)
                turned = numpy.dot(numpy.cross(b - a, c - a), outwards) > 0
                cases.append((case, edges if turned else edges[::-1]))
        found.append((corners, cases))
    return found


def _triangles(within: list[int], without: list[int]) -> list[tuple[tuple[int, int], ...]]:
    if len(within) == 2:
        (a, b), (c, d) = within, without
        around = ((a, c), (a, d), (b, d), (b, c))
        return [(around[0], around[1], around[2]), (around[0], around[2], around[3])]
    few, many = (within, without) if len(within) == 1 else (without, within)
    return [tuple((few[0], other) for other in many)]
