"""Brings pictures to a size, and reads which part of one is to be drawn anew (white in a mask)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from shared.errors import InvalidRequest
from shared.media.opening import open_picture

if TYPE_CHECKING:
    from PIL import Image

_PAINTED = 32  # of 255: a stroke's faint edge is none
_LONGEST = 30  # times the shorter side


def fit(image: Image.Image, size: tuple[int, int], how: Literal["crop", "pad"] = "crop") -> Image.Image:
    """The picture at that size, its shape kept: cut at its edges, or with bars (black, transparent in RGBA).

    A mask (mode L) stays black and white, and lies as a picture of its size would.
    Raises `InvalidRequest` for a picture so narrow that nothing of it would be seen.
    """
    from PIL import Image, ImageOps

    if max(image.size) > _LONGEST * min(image.size):
        raise InvalidRequest("The picture is too long and narrow to be brought to that size. Cut a part out of it.")
    way = Image.Resampling.NEAREST if image.mode == "L" else Image.Resampling.LANCZOS
    return ImageOps.fit(image, size, way) if how == "crop" else ImageOps.pad(image, size, way)


def flat(picture: Image.Image) -> Image.Image:
    """The picture as RGB, on white where it is transparent."""
    from PIL import Image

    under = Image.new("RGBA", picture.size, "white")
    under.alpha_composite(picture.convert("RGBA"))
    return under.convert("RGB")


def mask_from_picture(source: bytes | str | Path | Image.Image) -> Image.Image:
    """A mask from a picture that is white where it is to be drawn anew. What is transparent counts as black."""
    from PIL import Image

    picture = _opened(source).convert("RGBA")
    flat = Image.new("RGBA", picture.size, "black")
    flat.alpha_composite(picture)
    return _needed(flat.convert("L").point(lambda value: 255 * (value > 127)))


def mask_from_editor(value: Mapping[str, Any] | None) -> Image.Image:
    """A mask from the value of Gradio's ImageEditor: white where a layer is painted or the picture is rubbed out.

    Its `background` and `layers` may be paths (as checked by `open_picture`) or pictures.
    """
    from PIL import Image, ImageChops

    background = (value or {}).get("background")
    if background is None:
        raise InvalidRequest("There is no picture to paint a mask on. Add one first.")
    alpha = _opened(background).convert("RGBA").getchannel("A")
    mask = alpha.point(lambda value: 255 * (value < 128))
    for layer in (value or {}).get("layers") or ():
        if layer is not None:
            painted = _opened(layer).convert("RGBA").getchannel("A").point(lambda value: 255 * (value >= _PAINTED))
            if painted.size != mask.size:
                painted = painted.resize(mask.size, Image.Resampling.NEAREST)
            mask = ImageChops.lighter(mask, painted)
    return _needed(mask)


def _opened(source: Any) -> Image.Image:
    from PIL import Image

    return source if isinstance(source, Image.Image) else open_picture(source)


def _needed(mask: Image.Image) -> Image.Image:
    if mask.getextrema() == (0, 0):
        raise InvalidRequest("The mask is empty. Paint over the part that is to be drawn anew.")
    return mask
