"""The training pictures: each emoji on white, and dyed, doubled, paired and dressed ones made of them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy
from PIL import Image
from source import COLOUR_WORDS, Emoji, words

SIZE = 128
DYED = {"nature", "foods", "activity", "places", "objects"}
# Who can wear something in its middle: round things with the face, or no face, in front.
WEARERS = ("face", "apple", "pear", "peach", "tangerine", "lemon", "tomato", "pumpkin", "watermelon", "melon", "moon")
WEARERS += ("sun", "heart", "star", "egg", "doughnut", "cookie", "ball", "balloon", "owl", "penguin", "robot", "ghost")


@dataclass(frozen=True)
class Picture:
    """One training picture: `pixels` uint8 (128, 128, 3), what it may be called, and how often it is drawn."""

    pixels: Any
    captions: tuple[str, ...]
    weight: float


def article(noun: str) -> str:
    """The noun with "a" or "an"."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def plural(noun: str) -> str:
    """The noun, more than once."""
    head = noun.split()[-1]
    if head in {"fish", "sheep", "deer"} or head.endswith("s"):
        return noun
    if head.endswith(("ch", "sh", "x")):
        return noun + "es"
    return noun[:-1] + "ies" if head.endswith("y") and head[-2] not in "aeiou" else noun + "s"


@cache
def load(file: Path) -> Image.Image:
    """The emoji's picture, RGBA, 256 px."""
    return Image.open(file).convert("RGBA").resize((256, 256), Image.Resampling.LANCZOS)


def laid(*layers: tuple[Image.Image, float, float, float]) -> Any:
    """Layers (picture, width, x, y of the middle, as shares) on white: uint8 (128, 128, 3)."""
    sheet = Image.new("RGBA", (SIZE, SIZE), "white")
    for picture, width, x, y in layers:
        side = round(width * SIZE)
        small = picture.resize((side, side), Image.Resampling.LANCZOS)
        sheet.alpha_composite(*_within(small, round(x * SIZE - side / 2), round(y * SIZE - side / 2)))
    return numpy.asarray(sheet.convert("RGB"))


def _within(picture: Image.Image, left: int, top: int) -> tuple[Image.Image, tuple[int, int]]:
    """The part of a layer that lies on the sheet, and where."""
    box = (max(-left, 0), max(-top, 0), min(picture.width, SIZE - left), min(picture.height, SIZE - top))
    return picture.crop(box), (max(left, 0), max(top, 0))


def dyed(picture: Image.Image, colour: tuple[int, int, int]) -> Image.Image:
    """The picture in one colour: its lightness kept, stretched, and run from black over the colour to white."""
    pixels = numpy.asarray(picture, numpy.float32)
    light = pixels[..., :3] @ numpy.float32([0.299, 0.587, 0.114]) / 255
    seen = light[pixels[..., 3] > 128]
    if seen.size == 0:
        return picture
    low, high = numpy.percentile(seen, [2, 98])
    level = numpy.clip((light - low) / max(high - low, 0.2), 0, 1)
    middle = 0.6
    base = numpy.float32(colour)
    dark, bright = base * 0.25, base * 0.35 + 255 * 0.65
    below = dark + (base - dark) * (level / middle)[..., None]
    above = base + (bright - base) * ((level - middle) / (1 - middle))[..., None]
    out = numpy.where((level < middle)[..., None], below, above)
    return Image.fromarray(numpy.dstack([out, pixels[..., 3]]).clip(0, 255).astype("uint8"), "RGBA")


def everything(emoji: list[Emoji], seed: int = 0) -> Iterator[Picture]:
    """Every training picture, in a fixed order."""
    draw = random.Random(seed)
    things = [e for e in emoji if e.kind in DYED and len(e.noun.split()) <= 2]
    for each in emoji:
        for number in range(2):
            yield _plain(each, each.weight / 2, draw, first=number == 0)
    for each in things:
        yield from _dyed(each, draw)
    for _ in range(4000):
        yield _pair(*draw.choices(things, [each.weight for each in things], k=2))
    for each in things:
        yield _several(each, draw)
    yield from _dressed(emoji, draw)


def _captions(each: Emoji) -> tuple[str, ...]:
    named = [article(name) for name in each.names]
    return (*named, *named, *each.names, *(f"{each.names[0]} {word}" for word in each.keywords[:4]), *each.keywords[:2])


def _plain(each: Emoji, weight: float, draw: random.Random, *, first: bool) -> Picture:
    width, x, y = (1.0, 0.5, 0.5) if first else (draw.uniform(0.8, 1), draw.gauss(0.5, 0.03), draw.gauss(0.5, 0.03))
    return Picture(laid((load(each.file), width, x, y)), _captions(each), weight)


def _dyed(each: Emoji, draw: random.Random) -> Iterator[Picture]:
    for name, colour in words()["colours"].items():
        title = f"{name} {each.noun}"
        picture = laid((dyed(load(each.file), colour), draw.uniform(0.9, 1), 0.5, 0.5))
        yield Picture(picture, (article(title), title), 0.1 if each.everyday else 0.03)


def _pair(one: Emoji, other: Emoji) -> Picture:
    layers = (load(one.file), 0.52, 0.26, 0.5), (load(other.file), 0.52, 0.74, 0.5)
    both = f"{article(one.names[0])} and {article(other.names[0])}", f"{one.names[0]} and {other.names[0]}"
    return Picture(laid(*layers), both, 0.06)


def _several(each: Emoji, draw: random.Random) -> Picture:
    picture, word, weight = load(each.file), plural(each.names[0]), 0.3 if each.everyday else 0.06
    if draw.random() < 0.5:
        return Picture(laid((picture, 0.52, 0.26, 0.5), (picture, 0.52, 0.74, 0.5)), (f"two {word}",), weight)
    three = [(picture, 0.5, 0.5, 0.27), (picture, 0.5, 0.26, 0.73), (picture, 0.5, 0.74, 0.73)]
    return Picture(laid(*three), (f"three {word}",), weight)


def _dressed(emoji: list[Emoji], draw: random.Random) -> Iterator[Picture]:
    files = {e.id: e.file for e in emoji}
    bases = [e for e in emoji if e.kind in DYED and any(w in e.noun.split() or e.id == w for w in WEARERS)]
    bases += [e for e in emoji if e.kind == "nature" and e.names[0].endswith("face")]
    for base in dict.fromkeys(bases):
        name = base.names[-1] if base.names[-1] not in COLOUR_WORDS else base.names[0]
        for id_, worn in words()["worn"].items():
            if id_ not in files or base.id == id_:
                continue
            lower = worn.get("lower", 1.0)
            under = load(base.file), lower, 0.5, 1 - lower / 2
            x, y = worn["at"]
            over = load(files[id_]), worn["width"], x, y
            word = worn["word"] if worn["word"].endswith("s") else article(worn["word"])
            ways = tuple(f"{article(name)} {how} {word}" for how in ("with", "wearing"))
            yield Picture(laid(under, over), ways, 0.4)
