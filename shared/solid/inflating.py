"""Inflates an outline: how far each point of a flat shape rises, as a soap film under even pressure would.

Between the outlines u solves Poisson's equation, minus its Laplacian being 4, and is 0 on them; the height is its
square root. A disc becomes a half ball exactly, and every outline is left at a right angle, so that front and back meet
without an edge. Surfaces from sketched outlines go back to Igarashi, Matsuoka and Tanaka, "Teddy" (SIGGRAPH 1999);
inflating by such an equation to Sýkora et al., "Ink-and-Ray" (ACM Transactions on Graphics 33(2), 2014) and Dvorožňák
et al., "Monster Mash" (SIGGRAPH Asia 2020). Where the outline passes between two points of the grid, the equation knows
how far (Gibou et al., Journal of Computational Physics 176, 2002): else it would rise in steps.
"""

from __future__ import annotations

from typing import Any

CLOSEST = 0.08  # of a cell: an outline is never nearer to a point of the grid, or its triangles would be slivers


def crossing(inside: Any, outside: Any) -> Any:
    """How far from an inner point the outline passes, 0 to 1 of the way to the outer one, by their covers."""
    import numpy

    return numpy.clip((inside - 0.5) / numpy.maximum(inside - outside, 1e-6), CLOSEST, 1 - CLOSEST)


def inflated(cover: Any, labels: Any | None = None) -> Any:
    """The heights (rows, columns) float64 in cells of the grid; 0 outside. `cover` is above 0.5 inside.

    `labels` (rows, columns) int: where two neighbours' differ, an outline passes between them too.
    """
    import numpy
    from scipy.sparse import coo_matrix
    from scipy.sparse.linalg import spsolve

    mask = cover > 0.5
    count = int(mask.sum())
    heights = numpy.zeros(cover.shape)
    if not count:
        return heights
    number = numpy.full(cover.shape, -1)
    number[mask] = numpy.arange(count)
    diagonal = numpy.zeros(count)
    rows, columns = [], []
    for axis, step in ((0, 1), (0, -1), (1, 1), (1, -1)):
        near = _shifted(cover, axis, step, 0.0)
        other = _shifted(number, axis, step, -1)
        joined = mask & (other >= 0)
        reach = crossing(cover, near)
        if labels is not None:
            apart = joined & (_shifted(labels, axis, step, -1) != labels)
            joined &= ~apart
            reach = numpy.where(apart, 0.5, reach)
        diagonal += numpy.where(joined, 1.0, 1.0 / reach)[mask]
        rows.append(number[joined])
        columns.append(other[joined])
    row, column = numpy.concatenate(rows), numpy.concatenate(columns)
    own = numpy.arange(count)
    values = numpy.concatenate([numpy.full(len(row), -1.0), diagonal])
    where = (numpy.concatenate([row, own]), numpy.concatenate([column, own]))
    matrix = coo_matrix((values, where), shape=(count, count)).tocsc()
    heights[mask] = numpy.sqrt(numpy.maximum(spsolve(matrix, numpy.full(count, 4.0)), 1e-6))
    return heights


def _shifted(values: Any, axis: int, step: int, beyond: float) -> Any:
    """Each point's neighbour in that direction; `beyond` the grid's edge."""
    import numpy

    moved = numpy.roll(values, -step, axis=axis)
    edge: list[Any] = [slice(None), slice(None)]
    edge[axis] = -1 if step > 0 else 0
    moved[tuple(edge)] = beyond
    return moved
