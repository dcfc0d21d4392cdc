"""Judges the module: does the thing move as was asked, is it still the thing, and do the frames belong together?

Everything is measured on pictures, without a network: places and sizes of what isn't white, its turn by trying angles.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
from PIL import Image

# What counts as moved: shares of the side, logarithm of sizes, degrees, and how closely a path goes with the one asked.
FAR, LARGER, TURNED, CLOSE = 0.08, 0.25, 8.0, 0.6
ANGLES = range(-40, 41, 5)


def places(frames: Any) -> Any:
    """Of frames uint8 (n, h, w, 3): middle x, middle y, size, as shares of the side, float (n, 3).

    An empty frame's are the middle and 0.
    """
    ink = (255 - frames.min(3).astype(numpy.float32)) / 255
    ink = numpy.where(ink > 0.12, ink, 0)
    total, side = ink.sum((1, 2)), frames.shape[1]
    along = (numpy.arange(side) + 0.5) / side
    safe = numpy.maximum(total, 1e-6)
    x, y = (ink.sum(1) @ along) / safe, (ink.sum(2) @ along) / safe
    size = numpy.sqrt((ink > 0).mean((1, 2)))
    return numpy.stack([numpy.where(total > 1, x, 0.5), numpy.where(total > 1, y, 0.5), size], 1)


def turns(frames: Any) -> Any:
    """By how many degrees each frame's thing is turned against the first's, clockwise: the angle that fits best."""
    small = [_level(frame, *place) for frame, place in zip(frames, places(frames), strict=True)]
    tried = [small[0].rotate(-angle, Image.Resampling.BICUBIC, fillcolor="white") for angle in ANGLES]
    known = numpy.stack([numpy.asarray(each, numpy.float32) for each in tried])
    errors = [((known - numpy.asarray(each, numpy.float32)) ** 2).mean((1, 2, 3)) for each in small]
    return numpy.array([ANGLES[int(numpy.argmin(error))] for error in errors], float)


def _level(frame: Any, x: float, y: float, size: float) -> Image.Image:
    """The frame around its thing, at one size, so that only its turn is left: 48 x 48."""
    side, half = len(frame), max(0.9 * size, 0.05)
    box = [round(side * v) for v in (x - half, y - half, x + half, y + half)]
    sheet = Image.new("RGB", (box[2] - box[0], box[3] - box[1]), "white")
    sheet.paste(Image.fromarray(frame), (-box[0], -box[1]))
    return sheet.resize((48, 48), Image.Resampling.BOX)


def seen(frames: Any) -> dict[str, bool]:
    """Which motions a clip shows, uint8 (n, h, w, 3): a motion's name -> whether."""
    x, y, size = places(frames).T
    ends: Callable[[Any], float] = lambda path: float(path[-2:].mean() - path[:2].mean())  # noqa: E731
    when = numpy.arange(len(frames)) / len(frames)
    grown = ends(numpy.log(numpy.maximum(size, 0.01)))
    turn = turns(frames)
    within = when * 2 % 1
    return {
        "left": ends(x) < -FAR,
        "right": ends(x) > FAR,
        "bouncing": float(numpy.ptp(y)) > FAR and alike(-y, 4 * within * (1 - within)) > CLOSE,
        "growing": grown > LARGER,
        "shrinking": grown < -LARGER,
        "swinging": float(numpy.ptp(turn)) > 2 * TURNED and alike(turn, numpy.sin(2 * numpy.pi * when)) > CLOSE,
    }


def alike(one: Any, other: Any) -> float:
    """Correlation of two paths; 0 where one of them doesn't move."""
    if min(float(numpy.std(one)), float(numpy.std(other))) < 1e-6:
        return 0.0
    return float(numpy.corrcoef(one, other)[0, 1])


def cropped(picture: Any) -> Any:
    """What isn't white of a picture, uint8 (h, w, 3), stretched to 16 x 16: so that place and size don't count."""
    rows, columns = numpy.where((255 - picture.min(2)) > 30)
    if len(rows) < 4:
        return numpy.ones((16, 16, 3), numpy.float32)
    part = picture[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    return numpy.asarray(Image.fromarray(part).resize((16, 16), Image.Resampling.BOX), numpy.float32) / 255


def steadiness(frames: Any) -> float:
    """How like its neighbour each frame's thing is, in dB: of 16 x 16 points of what isn't white."""
    small = numpy.stack([cropped(frame) for frame in frames])
    error = ((small[1:] - small[:-1]) ** 2).mean((1, 2, 3))
    return float(numpy.mean(-10 * numpy.log10(numpy.maximum(error, 1e-5))))
