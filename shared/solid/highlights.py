"""Gives back to an object the highlights at its edge that were taken for background.

A highlight of the background's own colour that reaches the outline can't be told by colour: the flood from the border
runs into it. Two things tell it. It is a bite that a round brush can't reach into; and its border within the object is
soft, since the object's colour fades into it, where the outline elsewhere is sharp.
"""

from __future__ import annotations

from typing import Any

_SIDE = 256  # pixels of the copy that is looked at
_BRUSHES = (0.6, 0.3, 0.15)  # radii, of the object's longer side: wide bites, then narrow ones
_NEAR = 0.03  # of the longer side: so near to the outline the object has its own colour where that is sharp
_FADED = 0.6  # of what is usual along the outline: a colour nearer than that to the background's has faded
_SOFT = 0.6  # of a bite's border must be soft
_LARGEST = 0.08  # of the object: more is no highlight


def with_highlights(mask: Any, distance: Any) -> Any:
    """The mask (rows, columns) bool with its bright bites filled. `distance`: of each pixel from the background."""
    import numpy
    from scipy import ndimage

    step = -(-max(mask.shape) // _SIDE)
    small, far = mask[::step, ::step], distance[::step, ::step]
    if not small.any():
        return mask
    bites = _bites(small, far)
    if not bites.any():
        return mask
    if step == 1:
        return mask | bites
    share = ndimage.zoom((small | bites).astype(numpy.float32), step, order=1, grid_mode=True, mode="nearest")
    grown = ndimage.binary_dilation(numpy.kron(bites, numpy.ones((step, step), bool)), iterations=step)
    rows, columns = mask.shape
    return mask | ((share > 0.5) & grown)[:rows, :columns]


def _bites(mask: Any, distance: Any) -> Any:
    import numpy
    from scipy import ndimage

    rows, columns = numpy.nonzero(mask)
    side = max(numpy.ptp(rows), numpy.ptp(columns)) + 1
    beside = numpy.ones((3, 3), bool)
    outline = mask & ndimage.binary_dilation(~mask, beside)
    if not outline.any():
        return numpy.zeros_like(mask)
    own = ndimage.maximum_filter(numpy.where(mask, distance, 0.0), footprint=_disc(max(2, round(_NEAR * side))))
    soft = outline & (own < _FADED * numpy.median(own[outline]))
    found = numpy.zeros_like(mask)
    for brush in _BRUSHES:
        labels, _ = ndimage.label(_out_of_reach(mask, brush * side) & ~mask)
        for number, place in enumerate(ndimage.find_objects(labels), start=1):
            around = tuple(slice(max(0, each.start - 1), each.stop + 1) for each in place)
            bite = labels[around] == number
            border = ndimage.binary_dilation(bite, beside) & outline[around]
            if bite.sum() <= _LARGEST * mask.sum() and border.any() and soft[around][border].mean() >= _SOFT:
                found[around] |= bite
    return found


def _disc(radius: int) -> Any:
    import numpy

    rows, columns = numpy.mgrid[-radius : radius + 1, -radius : radius + 1]
    return rows**2 + columns**2 <= radius**2


def _out_of_reach(mask: Any, radius: float) -> Any:
    """Where a round brush of that radius, in pixels, can't paint without touching the object."""
    import numpy
    from scipy import ndimage

    edge = int(radius) + 2
    near = ndimage.distance_transform_edt(~numpy.pad(mask, edge)) <= radius
    reached = ndimage.distance_transform_edt(near) <= radius
    return ~reached[edge:-edge, edge:-edge]
