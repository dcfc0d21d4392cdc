"""Sizes of the usual shapes of pictures, fitted to the size that a model draws best."""

from __future__ import annotations

from collections.abc import Iterable

UNKNOWN = 1024  # the side that most models of today draw best
# what a person calls it -> width and height of the shape
SHAPES: dict[str, tuple[int, int]] = {
    "Square": (1, 1),
    "Landscape 4:3": (4, 3),
    "Landscape 3:2": (3, 2),
    "Wide 16:9": (16, 9),
    "Portrait 3:4": (3, 4),
    "Portrait 2:3": (2, 3),
    "Tall 9:16": (9, 16),
}
_STEP = 16  # pixels: what the sides of every model's pictures are multiples of


def presets(side: int | None, listed: Iterable[str] = ()) -> list[tuple[str, str]]:
    """What is shown and the size, such as `640x448`, for each shape.

    `side`: of the square that the model draws best, in pixels; the others have about its area. `listed`: the only
    sizes that there are, where a provider offers no others.
    """
    if sizes := [tuple(map(int, size.split("x"))) for size in listed]:
        return [(f"{_kind(w, h)} · {w} x {h}", f"{w}x{h}") for w, h in sizes]
    fitted = {name: near(side or UNKNOWN, shape) for name, shape in SHAPES.items()}
    return [(f"{name} · {w} x {h}", f"{w}x{h}") for name, (w, h) in fitted.items()]


def near(side: int, shape: tuple[int, int]) -> tuple[int, int]:
    """Width and height of that shape and of about the square's area, in steps of a sixteenth of its side.

    At 1024 these are sizes that Stable Diffusion XL was trained at, such as 1216 x 832.
    """
    if shape[0] == shape[1]:
        return side, side
    step = max(_STEP, side // 16 // _STEP * _STEP)
    ratio = max(shape) / min(shape)
    short = round(side / ratio**0.5 / step) * step
    long = int(short * ratio / step) * step
    return (long, short) if shape[0] >= shape[1] else (short, long)


def _kind(width: int, height: int) -> str:
    return "Square" if width == height else "Landscape" if width > height else "Portrait"
