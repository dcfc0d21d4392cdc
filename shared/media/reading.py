"""Reads from a picture what can lead a drawing: its edges, or the lines of a sketch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from shared.errors import InvalidRequest
from shared.media.edges import edges
from shared.media.masks import flat

if TYPE_CHECKING:
    from PIL import Image

LARGEST = 1024  # pixels of the longer side: no ControlNet sees more
_INK = 60  # of 255: what is so far from the paper is a line


def read(picture: Image.Image, how: str) -> Image.Image:
    """The picture as a ControlNet or T2I-Adapter is shown it (RGB). `how`: a name of `READERS`.

    Raises `InvalidRequest` for another name.
    """
    if how not in READERS:
        raise InvalidRequest(f"A picture can be read as {', '.join(READERS)}; not as {how[:40]!r}.")
    plain = flat(picture)
    plain.thumbnail((LARGEST, LARGEST))
    return READERS[how][1](plain).convert("RGB")


def lines(picture: Image.Image) -> Image.Image:
    """The lines of a sketch, white on black, whichever way it was drawn: its paper is what there is most of."""
    from PIL import ImageOps

    grey = ImageOps.autocontrast(picture.convert("L"))
    counts = grey.histogram()
    paper = max(range(256), key=counts.__getitem__)
    return grey.point([255 * (abs(value - paper) > _INK) for value in range(256)])


# name -> what a person calls it, and how it is done
READERS: dict[str, tuple[str, Callable[[Image.Image], Image.Image]]] = {
    "edges": ("The edges in a picture", edges),
    "lines": ("A sketch in lines", lines),
    "as it is": ("As it is", lambda picture: picture),
}
