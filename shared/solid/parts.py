"""Parts a picture by its colours, so that each part can rise by itself: an eye before a face, a leaf beside a fruit."""

from __future__ import annotations

from typing import Any

COLOURS = 5  # that a thing is parted into; more find shadows, not parts
LEAST = 0.01  # of the shape: smaller parts are joined to what is around them
_LIGHTNESS = 0.5  # counts by half, since light and shade are no parts


def parted(pixels: Any, mask: Any) -> tuple[Any, int]:
    """The number of each point's part (rows, columns) int, 0 outside the mask, and how many there are.

    `pixels` (rows, columns, 3) uint8.
    """
    import numpy
    from scipy import ndimage
    from scipy.cluster.vq import kmeans2

    from shared.solid.colour import lab

    smooth = ndimage.median_filter(pixels, (3, 3, 1))
    values = lab(smooth)[mask].astype(numpy.float64) * (_LIGHTNESS, 1, 1)
    kinds = min(COLOURS, len(numpy.unique(values, axis=0)))
    if kinds < 2:
        return mask.astype(int), 1
    _, kind = kmeans2(values, kinds, minit="++", seed=0)
    colours = numpy.full(mask.shape, -1)
    colours[mask] = kind
    labels, count = numpy.zeros(mask.shape, int), 0
    for each in range(kinds):
        # A rim of mixed colours between two parts is as thin as a line, and none itself.
        found, many = ndimage.label(ndimage.binary_opening(colours == each, numpy.ones((3, 3))))
        sizes = numpy.bincount(found.ravel(), minlength=many + 1)
        for part in numpy.flatnonzero(sizes >= LEAST * mask.sum()):
            if part:
                count += 1
                labels[found == part] = count
    if not count:
        return mask.astype(int), 1
    nearest = ndimage.distance_transform_edt(labels == 0, return_distances=False, return_indices=True)
    return numpy.where(mask, labels[tuple(nearest)], 0), count
