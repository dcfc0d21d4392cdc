"""The training clips: an emoji that moves on white in one of a few ways, and what the clip may be called."""

from __future__ import annotations

import math
import random
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy
from pictures import article, dyed, laid, load
from PIL import Image, ImageOps
from source import COLOUR_WORDS, Emoji, words

HERE = Path(__file__).resolve().parent
DYED = 0.2  # share of the clips whose thing is in another colour


@dataclass(frozen=True)
class Pose:
    """Where a thing is in one frame: its width and its middle as shares of the side, its turn in degrees, clockwise."""

    width: float
    x: float = 0.5
    y: float = 0.5
    turn: float = 0.0


@dataclass(frozen=True)
class Clip:
    """`pixels` uint8 (frames, 128, 128, 3), what the thing in it may be called, and its motion."""

    pixels: Any
    things: tuple[str, ...]
    motion: str


@cache
def table() -> dict[str, Any]:
    """The motions' words and the clips' length."""
    return tomllib.loads((HERE / "motions.toml").read_text("utf-8"))


def _across(sign: int, draw: random.Random) -> Callable[[float], Pose]:
    width, y, far = draw.uniform(0.6, 0.75), draw.uniform(0.45, 0.55), draw.uniform(0.16, 0.24)
    return lambda when: Pose(width, 0.5 + sign * far * (2 * when - 1), y)


def _bouncing(draw: random.Random) -> Callable[[float], Pose]:
    width, high = draw.uniform(0.6, 0.7), draw.uniform(0.24, 0.3)
    floor, x = 0.98 - width / 2, draw.uniform(0.46, 0.54)

    def at(when: float) -> Pose:
        within = when * 7 / 4 % 1  # a bounce takes four frames, so that eight of them may be played in a ring
        return Pose(width, x, floor - high * 4 * within * (1 - within))

    return at


def _sized(small: float, large: float, draw: random.Random) -> Callable[[float], Pose]:
    first, last = small * draw.uniform(0.9, 1.1), large * draw.uniform(0.95, 1.05)
    return lambda when: Pose(first + (last - first) * when)


def _swinging(draw: random.Random) -> Callable[[float], Pose]:
    width, wide = draw.uniform(0.7, 0.8), draw.uniform(24, 34)
    return lambda when: Pose(width, turn=wide * math.sin(2 * math.pi * when * 7 / 8))


# motion -> its path: poses by the share of the clip that has passed, 0 to 1
PATHS: dict[str, Callable[[random.Random], Callable[[float], Pose]]] = {
    "left": lambda draw: _across(-1, draw),
    "right": lambda draw: _across(1, draw),
    "bouncing": _bouncing,
    "growing": lambda draw: _sized(0.4, 0.95, draw),
    "shrinking": lambda draw: _sized(0.95, 0.4, draw),
    "swinging": _swinging,
}


def poses(motion: str, draw: random.Random) -> list[Pose]:
    """One path of the motion, a pose for each frame."""
    path, count = PATHS[motion](draw), table()["frames"]
    return [path(number / (count - 1)) for number in range(count)]


def drawn(picture: Image.Image, path: list[Pose]) -> Any:
    """The picture, RGBA, in each pose on white: uint8 (frames, 128, 128, 3)."""
    frames = []
    for pose in path:
        # A turned square keeps its size; emoji leave its corners empty.
        turned = picture.rotate(-pose.turn, Image.Resampling.BICUBIC) if pose.turn else picture
        frames.append(laid((turned, pose.width, pose.x, pose.y)))
    return numpy.stack(frames)


def everything(emoji: list[Emoji], each: int = 2, seed: int = 0) -> Iterator[Clip]:
    """Clips of every everyday thing in every motion, `each` of them, in a fixed order."""
    draw = random.Random(seed)
    for thing in emoji:
        if thing.everyday:
            for motion in table()["motions"]:
                for _ in range(each):
                    yield _clip(thing, motion, draw)


def _clip(thing: Emoji, motion: str, draw: random.Random) -> Clip:
    picture, names = load(thing.file), tuple(article(name) for name in thing.names)
    if draw.random() < 0.5:
        picture = ImageOps.mirror(picture)
    if draw.random() < DYED:
        colour = draw.choice(sorted(words()["colours"]))
        picture = dyed(picture, words()["colours"][colour])
        plain = [n for n in thing.names if not set(n.split()) & set(COLOUR_WORDS)] or [thing.noun]
        names = tuple(article(f"{colour} {name}") for name in plain)
    return Clip(drawn(picture, poses(motion, draw)), names, motion)
