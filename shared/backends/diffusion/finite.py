"""Numbers that make no picture: told as such, rather than shown as a black one."""

from __future__ import annotations

from typing import Any

from shared.errors import CorruptWeights

_WHY = (
    "This model's numbers went out of bounds, so that there is no picture. Its weights are damaged, or not made for "
    "{0}. Download the model again, or choose another engine."
)


def check(latents: Any, dtype: str) -> None:
    """Raise `CorruptWeights` unless every number of the tensor is finite. `dtype`: how the weights are held."""
    if latents is not None and not bool(latents.isfinite().all()):
        raise CorruptWeights(_WHY.format(dtype))


def picture(pixels: Any, dtype: str) -> Any:
    """The Pillow picture of an array (height, width, 3) of 0 to 1, rounded as diffusers does.

    Raises `CorruptWeights` for numbers that are none: some decoders overflow where the steps before did not.
    """
    import numpy
    from PIL import Image

    if not numpy.isfinite(pixels).all():
        raise CorruptWeights(_WHY.format(dtype))
    return Image.fromarray((pixels * 255).round().astype("uint8"))
