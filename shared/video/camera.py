"""What a camera can do: words for models that read them, and a warp for engines that go on from a picture."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from shared.errors import InvalidRequest

if TYPE_CHECKING:
    from PIL.Image import Image

STILL = "still"


@dataclass(frozen=True, kw_only=True)
class Camera:
    """A row of camera.toml, which says what each means."""

    label: str
    words: str
    zoom: float = 1.0
    right: float = 0.0
    down: float = 0.0
    angle: float = 0.0


@cache
def cameras() -> Mapping[str, Camera]:
    """All of them by name, the one that stands still first."""
    rows = tomllib.loads(Path(__file__).with_name("camera.toml").read_text(encoding="utf-8"))
    return {name: Camera(**row) for name, row in rows.items()}


def camera(name: str | None) -> Camera:
    """By its name; None stands still. Raises `InvalidRequest`."""
    found = cameras().get(name or STILL)
    if found is None:
        raise InvalidRequest(f"There is no camera called {str(name)[:50]!r}. Choose one of: {', '.join(cameras())}.")
    return found


def told(prompt: str, name: str | None) -> str:
    """The prompt with the camera's words after it, for models that read it there."""
    return prompt if name is None else f"{prompt.rstrip().rstrip('.')}, {camera(name).words}"


def moved(picture: Image, how: Camera, seconds: float) -> Image:
    """What the camera sees that many seconds later, in the same size; beyond its edges the picture is mirrored.

    The affine map from a point seen then to one of the picture: a turn and a scaling about the middle, and a shift.
    """
    from PIL import Image as Pillow

    width, height = picture.size
    scale, turn = how.zoom**-seconds, math.radians(how.angle * seconds)
    cosine, sine = scale * math.cos(turn), scale * math.sin(turn)
    left, up = how.right * width * seconds, how.down * height * seconds
    x, y = 1.5 * width - left, 1.5 * height - up  # the middle, within the mirrored picture of three times the size
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    map_x = (cosine, -sine, x - 0.5 - cosine * middle_x + sine * middle_y)
    map_y = (sine, cosine, y - 0.5 - sine * middle_x - cosine * middle_y)
    wide = _mirrored(picture)
    return wide.transform((width, height), Pillow.Transform.AFFINE, (*map_x, *map_y), Pillow.Resampling.BICUBIC)


def _mirrored(picture: Image) -> Image:
    """The picture in the middle of its own mirror images, three times as wide and high."""
    from PIL import Image as Pillow
    from PIL import ImageOps

    width, height = picture.size
    wide = Pillow.new("RGB", (3 * width, 3 * height))
    across, down = ImageOps.mirror(picture), ImageOps.flip(picture)
    both = ImageOps.mirror(down)
    for row in range(3):
        for column in range(3):
            tile = ((picture, across), (down, both))[row != 1][column != 1]
            wide.paste(tile, (column * width, row * height))
    return wide
