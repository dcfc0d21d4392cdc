"""Lays over a picture where its model looked for each word: warm colours where it looked most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.outputs import AttentionMaps

if TYPE_CHECKING:
    from PIL import Image

# From least to most, dark to light: told apart by people who don't see colours, too.
_COLOURS = ((0, 0, 20), (70, 15, 105), (170, 45, 95), (240, 110, 45), (255, 225, 120))
_VEIL = 0.7  # how much of the picture the colours hide
_DIM = 0.6  # how bright the picture behind them is


@dataclass(frozen=True)
class Heat:
    """A word's map over the picture; `share`: the part of all attention that the word got, 0 to 1."""

    word: str
    share: float
    picture: Image.Image


def sizes(maps: AttentionMaps) -> list[tuple[int, int]]:
    """Rows and columns of patches that there are maps of, finest first."""
    return sorted(maps.by_size, reverse=True)


def heats(picture: Image.Image, maps: AttentionMaps, size: tuple[int, int] | None = None) -> list[Heat]:
    """A map for each word over the picture, of the layers of that size; None takes the mean of all sizes."""
    chosen = sizes(maps) if size is None else [size]
    found = []
    for place, word in enumerate(maps.words):
        layers = [maps.by_size[each][place] for each in chosen]
        mean = sum(_enlarged(layer, picture.size) for layer in layers) / len(layers)
        share = sum(float(layer.mean()) for layer in layers) / len(layers)
        found.append(Heat(word, share, _over(picture, mean)))
    return found


def _enlarged(layer: Any, size: tuple[int, int]) -> Any:
    """The map at the picture's size, width and height, smoothly."""
    import numpy
    from PIL import Image

    small = Image.fromarray(numpy.asarray(layer, numpy.float32), mode="F")
    return numpy.asarray(small.resize(size, Image.Resampling.BICUBIC))


def _over(picture: Image.Image, values: Any) -> Image.Image:
    """Each map has its own scale, from its least to its most: it says where, not how much."""
    import numpy
    from PIL import Image

    low, high = float(values.min()), float(values.max())
    scaled = (values - low) / (high - low) if high > low else numpy.zeros_like(values)
    stops = numpy.linspace(0, 1, len(_COLOURS))
    heat = numpy.stack([numpy.interp(scaled, stops, _channel(n)) for n in range(3)], axis=-1)
    grey = numpy.asarray(picture.convert("L").convert("RGB"), numpy.float64) * _DIM
    mixed = grey * (1 - _VEIL) + heat * _VEIL
    return Image.fromarray(mixed.round().clip(0, 255).astype(numpy.uint8))


def _channel(number: int) -> Sequence[int]:
    return [colour[number] for colour in _COLOURS]
