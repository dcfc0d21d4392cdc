"""How a clip moves: how like each frame is to the next, and which way what is seen goes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from shared.image.likeness import ssim
from shared.media.opening import to_part

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 128  # pixels: what is compared is made that small first
LEVELS = 4  # of the pyramid, each of half the size
ROUNDS = 4  # at each level
WINDOW = 2.0  # pixels: the spread of the neighbourhood that is taken to move as one
_LEAST, _FLAT = 1e-3, 1e-6  # of a neighbourhood's structure: flatter ones say nothing of how they move


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A frame and the next. `number`: of the first; `ssim`: of both as they are; `moved`: of the first, moved along the
    flow, with the second; `speed`: how far what is seen goes, in hundredths of the picture's side, on average."""

    number: int
    ssim: float
    moved: float
    speed: float


def pairs(frames: Sequence[Image]) -> list[Pair]:
    """Of each frame and the next."""
    small = [_small(frame) for frame in frames]
    found = []
    for number, (one, other) in enumerate(pairwise(small)):
        motion = flow(one, other)
        speed = 100 * float((motion**2).sum(0).__pow__(0.5).mean()) / max(one.size)
        found.append(
            Pair(
                number=number,
                ssim=_ssim(one, other),
                moved=_ssim(along(one, motion), other),
                speed=round(speed, 3),
            )
        )
    return found


def alike(first: Sequence[Image], second: Sequence[Image]) -> float | None:
    """The mean SSIM of the frames of two clips at the same moments; None where there are none, or sizes differ."""
    found = [_ssim(_small(one), _small(other)) for one, other in zip(first, second, strict=False)]
    return None if not found or any(map(math.isnan, found)) else sum(found) / len(found)


def flow(one: Image, other: Image) -> Any:
    """How far each point goes from one picture to the other, in pixels: float array (2, height, width), right and down.

    B. D. Lucas, T. Kanade, An iterative image registration technique, 1981, at every point and from coarse to fine.
    Where a neighbourhood is flat, nothing moves.
    """
    import numpy as np
    from scipy import ndimage

    first, second = (np.asarray(picture.convert("L"), np.float32) / 255 for picture in (one, other))
    motion = None
    for level in reversed(range(LEVELS)):
        a, b = (ndimage.zoom(plane, 0.5**level, order=1) if level else plane for plane in (first, second))
        if motion is None:
            motion = np.zeros((2, *a.shape), np.float32)
        else:
            scale = a.shape[0] / motion.shape[1], a.shape[1] / motion.shape[2]
            motion = np.stack([2 * ndimage.zoom(part, scale, order=1) for part in motion])
        motion = _refined(a, b, motion)
    return motion


def _refined(a: Any, b: Any, motion: Any) -> Any:
    import numpy as np
    from scipy import ndimage

    rows, columns = np.mgrid[0 : a.shape[0], 0 : a.shape[1]].astype(np.float32)
    down, right = np.gradient(a)

    def near(plane: Any) -> Any:
        return ndimage.gaussian_filter(plane, WINDOW)

    xx, yy, xy = near(right * right), near(down * down), near(right * down)
    determinant = xx * yy - xy * xy + _LEAST * (xx + yy) + _FLAT
    for _ in range(ROUNDS):
        moved = ndimage.map_coordinates(b, [rows + motion[1], columns + motion[0]], order=1, mode="nearest")
        error = a - moved
        x, y = near(right * error), near(down * error)
        step = np.stack([(yy * x - xy * y) / determinant, (xx * y - xy * x) / determinant])
        motion = motion + np.clip(step, -2, 2)
    return np.stack([ndimage.gaussian_filter(part, 1.0) for part in motion])


def along(picture: Image, motion: Any) -> Image:
    """The picture with each point moved so far; read backwards, from where each point came."""
    import numpy as np
    from PIL import Image as Pillow
    from scipy import ndimage

    pixels = np.asarray(picture.convert("RGB"), np.float32)
    rows, columns = np.mgrid[0 : pixels.shape[0], 0 : pixels.shape[1]].astype(np.float32)
    places = [rows - motion[1], columns - motion[0]]
    moved = [ndimage.map_coordinates(pixels[..., c], places, order=1, mode="nearest") for c in range(3)]
    return Pillow.fromarray(np.stack(moved, -1).clip(0, 255).astype(np.uint8))


def coloured(motion: Any, fastest: float) -> Image:
    """The flow as a picture: the hue is the direction, and white stands still (after S. Baker et al., A database and
    evaluation methodology for optical flow, 2011). `fastest`: pixels that get the full colour."""
    import numpy as np
    from PIL import Image as Pillow

    hue = (np.arctan2(motion[1], motion[0]) + math.pi) / (2 * math.pi) * 255
    speed = np.sqrt((motion**2).sum(0)) / max(fastest, 0.5) * 255
    planes = np.stack([hue, speed.clip(0, 255), np.full_like(hue, 255)], -1)
    return Pillow.fromarray(planes.astype(np.uint8), "HSV").convert("RGB")


def _small(frame: Image) -> Image:
    small = frame.convert("RGB")
    small.thumbnail((SIDE, SIDE))
    return small


def _ssim(one: Image, other: Image) -> float:
    found = ssim(to_part(one), to_part(other))
    return math.nan if found is None else round(found, 4)
