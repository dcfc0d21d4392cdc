"""Pictures of a scene from several sides, with where each was taken: what a scene is learned from, and judged by."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.solid.learning.cameras import Camera, parallel
from shared.solid.mesh import Solid
from shared.solid.rendering import View, drawn

SIDE = 48  # pixels
SEEN, HELD_OUT = 24, 4
_GOLDEN = 180 * (3 - math.sqrt(5))  # degrees: views so far apart never fall together
_TILTS = (-60.0, 60.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Views:
    """`pictures` (n, side, side, 3) float32 0 to 1, on white where nothing is seen, and the `cameras` that took them.

    The scene lies in a ball of radius 1.
    """

    pictures: Any
    cameras: Sequence[Camera]


@dataclass(frozen=True, kw_only=True, eq=False)
class Taken:
    """What is learned from, and what was kept back to judge by.

    `points` (n, 3) and their `colours` (n, 3), 0 to 1: places that are known to be on something, where any are.
    """

    seen: Views
    unseen: Views
    points: Any = None
    colours: Any = None


def taken_of(solid: Solid, side: int = SIDE) -> Taken:
    """Pictures of a solid, without light and shade, and others of it from between them."""
    return Taken(seen=around(solid, SEEN, side=side), unseen=around(solid, HELD_OUT, start=17.0, side=side))


def around(solid: Solid, count: int, start: float = 0.0, side: int = SIDE) -> Views:
    """That many views, spread evenly over all but the poles. `start`: degrees, so that others fall between them."""
    import numpy

    pictures, cameras = [], []
    for number in range(count):
        share = (number + 0.5) / count
        view = View(turn=start + _GOLDEN * number, tilt=_TILTS[0] + (_TILTS[1] - _TILTS[0]) * share)
        pictures.append(numpy.asarray(drawn(solid, view, side, "unlit"), numpy.float32) / 255)
        cameras.append(parallel(view.rotation()))
    return Views(pictures=numpy.stack(pictures), cameras=cameras)


def psnr(one: Any, other: Any) -> float:
    """Peak signal-to-noise ratio in decibels of pictures of 0 to 1: 20 is rough, 30 hard to tell apart."""
    error = float(((one - other) ** 2).mean())
    return 10 * math.log10(1 / max(error, 1e-10))
