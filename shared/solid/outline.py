"""Cuts a grid along the outline of a shape into triangles: marching squares, whose filled half is kept.

After Lorensen and Cline, "Marching Cubes" (SIGGRAPH 1987), one dimension lower. Opposite corners of a square are never
joined through its middle, so that no two outlines meet in a point: what is built over them stays a manifold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.solid.inflating import crossing

# Around a square: its corners a (row, column), b to its right, c below that, d below a; each before the side after it.
_ROUND = ("a", "ab", "b", "bc", "c", "cd", "d", "da")
_PLACE = {name: place for place, name in enumerate(_ROUND)}


@dataclass(frozen=True, kw_only=True, eq=False)
class Plane:
    """A flat shape in triangles. `inner` (n, 2): rows and columns of the grid's points within; `rim` (k, 2): points of
    the outline, float. `triangles` (m, 3) count the inner points first, then the rim's; they run clockwise as seen
    with the rows downwards."""

    inner: Any
    rim: Any
    triangles: Any


def filled(cover: Any) -> Plane:
    """The shape where `cover` (rows, columns) is above 0.5. Its outermost rows and columns must be below."""
    import numpy

    mask = cover > 0.5
    inner = numpy.argwhere(mask)
    number = numpy.full(mask.shape, -1)
    number[mask] = numpy.arange(len(inner))
    across, across_points = _crossings(cover, 1, len(inner))
    down, down_points = _crossings(cover, 0, len(inner) + len(across_points))
    around = [
        number[:-1, :-1],
        across[:-1, :],
        number[:-1, 1:],
        down[:, 1:],
        number[1:, 1:],
        across[1:, :],
        number[1:, :-1],
        down[:, :-1],
    ]
    names = numpy.stack([part.ravel() for part in around], axis=1)
    case = sum((names[:, 2 * bit] >= 0).astype(int) << bit for bit in range(4))
    triangles = [
        names[case == kind][:, [_PLACE[name] for name in three]]
        for kind in range(1, 16)
        for polygon in _polygons(kind)
        for three in _fan(polygon)
    ]
    rim = numpy.concatenate([across_points, down_points])
    return Plane(inner=inner, rim=rim, triangles=numpy.concatenate(triangles))


def _crossings(cover: Any, axis: int, first: int) -> tuple[Any, Any]:
    """A number for each side along the axis that the outline crosses, counted from `first` (-1: none), and where."""
    import numpy

    one, other = (cover[:, :-1], cover[:, 1:]) if axis else (cover[:-1, :], cover[1:, :])
    crossed = (one > 0.5) != (other > 0.5)
    places = numpy.argwhere(crossed).astype(float)
    begins_inside = one[crossed] > 0.5
    reach = crossing(numpy.maximum(one, other)[crossed], numpy.minimum(one, other)[crossed])
    places[:, axis] += numpy.where(begins_inside, reach, 1 - reach)
    numbers = numpy.full(crossed.shape, -1)
    numbers[crossed] = numpy.arange(len(places)) + first
    return numbers, places


def _polygons(kind: int) -> list[list[str]]:
    """What of the square is within, for its corners a, b, c and d in the bits of `kind`."""
    inside = {corner for bit, corner in enumerate("abcd") if kind >> bit & 1}
    if kind in (5, 10):
        return [[_ROUND[_PLACE[c] - 1], c, _ROUND[_PLACE[c] + 1]] for c in sorted(inside)]
    crossed = {side for side in _ROUND if len(side) == 2 and (side[0] in inside) != (side[1] in inside)}
    return [[name for name in _ROUND if name in inside | crossed]]


def _fan(polygon: list[str]) -> list[tuple[str, str, str]]:
    return [(polygon[0], polygon[n], polygon[n + 1]) for n in range(1, len(polygon) - 1)]
