"""A mesh made ready for a printer, step after step: mended, thinned out, smoothed, baked, scaled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from shared.solid.baking import baked
from shared.solid.mending import mended, smoothed, thinned
from shared.solid.mesh import Solid


@dataclass(frozen=True, kw_only=True)
class Wished:
    """What is to be done. `share`: of the triangles, in hundredths; `rounds`: of smoothing; `bake`: the textures' side
    in pixels, 0 for none; `size`: the longest side in mm, 0 keeps it."""

    mend: bool
    share: float
    rounds: int
    bake: int
    size: float


def reworked(before: Solid, wished: Wished, tell: Callable[[str], None]) -> tuple[Solid, str]:
    """The solid, and what was mended in words. `tell` is told what is done now. Raises `InvalidRequest`."""
    fine, words = before, ""
    if wished.mend:
        tell("Mending")
        fine, words = mended(before)
    solid = fine
    if wished.share < 100:
        tell("Thinning out")
        solid = thinned(solid, max(4, round(len(solid.faces) * wished.share / 100)))
    if wished.rounds:
        tell("Smoothing")
        solid = smoothed(solid, wished.rounds)
    if wished.bake:
        fine = smoothed(fine, wished.rounds) if wished.rounds else fine
        solid = baked(fine, solid, wished.bake, tell)
    return (solid.scaled_to(wished.size) if wished.size else solid), words
