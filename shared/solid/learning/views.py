"""Pictures of a solid from all around, with where each was taken: what a scene is learned from, and judged by."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from shared.solid.mesh import Solid
from shared.solid.rendering import View, drawn

SIDE = 48  # pixels
SEEN, HELD_OUT = 24, 4
_GOLDEN = 180 * (3 - math.sqrt(5))  # degrees: views so far apart never fall together
_TILTS = (-60.0, 60.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Views:
    """`pictures` (n, side, side, 3) float32 0 to 1, on white, without light and shade; `turns` (n, 3, 3) float32 bring
    the scene, in a ball of radius 1, before each camera, which looks along -z without perspective."""

    pictures: Any
    turns: Any


def around(solid: Solid, count: int, start: float = 0.0) -> Views:
    """That many views, spread evenly over all but the poles. `start`: degrees, so that others fall between them."""
    import numpy

    pictures, turns = [], []
    for number in range(count):
        share = (number + 0.5) / count
        view = View(turn=start + _GOLDEN * number, tilt=_TILTS[0] + (_TILTS[1] - _TILTS[0]) * share)
        pictures.append(numpy.asarray(drawn(solid, view, SIDE, "unlit"), numpy.float32) / 255)
        turns.append(view.rotation())
    return Views(pictures=numpy.stack(pictures), turns=numpy.stack(turns).astype(numpy.float32))


def psnr(one: Any, other: Any) -> float:
    """Peak signal-to-noise ratio in decibels of pictures of 0 to 1: 20 is rough, 30 hard to tell apart."""
    error = float(((one - other) ** 2).mean())
    return 10 * math.log10(1 / max(error, 1e-10))
