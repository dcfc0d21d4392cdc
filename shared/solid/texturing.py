"""Makes a texture of a picture's object: its colours go on beyond its outline, so that no background shows there."""

from __future__ import annotations

import io

from shared.solid.cutout import Cutout

INWARD = 2  # pixels of the outline that are half background, and take the colour of what lies farther in


def texture_of(cutout: Cutout) -> bytes:
    """The picture as a PNG, with the nearest colour of the object wherever the object isn't."""
    import numpy
    from PIL import Image
    from scipy import ndimage

    sure = ndimage.binary_erosion(cutout.mask, iterations=INWARD)
    sure = sure if sure.any() else cutout.mask
    nearest = ndimage.distance_transform_edt(~sure, return_distances=False, return_indices=True)
    file = io.BytesIO()
    Image.fromarray(numpy.ascontiguousarray(cutout.pixels[tuple(nearest)])).save(file, "PNG")
    return file.getvalue()
