"""One prompt over a grid: every combination of two settings' values, drawn one after the other."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shared import typed_lists
from shared.engine import Engine
from shared.errors import InferenceError, InvalidRequest
from shared.image.drawing import Drawing, drawings
from shared.image.finishing import previews_looked_over
from shared.image.gate import gated
from shared.requests import ImageRequest
from shared.settings import Settings
from shared.streaming import CancelToken
from shared.tasks import Mode

MOST = 36  # cells of a grid


@dataclass(frozen=True)
class Way:
    """A model and one engine of it: a `Variant.key`, or its first of that kind."""

    model: str
    variant: str | None
    mode: Mode | None = None


@dataclass(frozen=True)
class Axis:
    """What is varied along one side of the grid: a field of `ImageRequest`, `engine`, or nothing (one value).

    With the name `several`, each value holds several fields.
    """

    name: str
    values: tuple[Any, ...]
    labels: tuple[str, ...]


NOTHING = Axis("", (None,), ("",))
SEVERAL = "several"
# What can be varied, besides the engine: field -> (what a person calls it, how its values are read)
READERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "num_inference_steps": ("Steps", int),
    "guidance_scale": ("Guidance", float),
    "scheduler": ("Scheduler", str),
    "seed": ("Seed", int),
    "strength": ("Strength", float),
    "variation_strength": ("Variation", float),
    "prompt": ("Prompt", str),
    "negative_prompt": ("Negative prompt", str),
}


def axis(name: str, text: str) -> Axis:
    """An axis from values as a person types them: with commas between, prompts with semicolons; see `typed_lists`.

    Raises `InvalidRequest` for a value that can't be read.
    """
    if not name:
        return NOTHING
    label, reader = READERS[name]
    split = typed_lists.numbers if reader is float else typed_lists.parts
    parts = typed_lists.long_parts(text) if "prompt" in name else split(text)
    if not parts:
        raise InvalidRequest(f"Give the values of {label}, for example {_EXAMPLES[name]}.")
    try:
        values = tuple(reader(part) for part in parts)
    except ValueError:
        raise InvalidRequest(f"The values of {label} can't be read: {text[:60]!r}. Try {_EXAMPLES[name]}.") from None
    return Axis(name, values, tuple(f"{label} {part}" if reader is not str else part for part in parts))


_EXAMPLES = {
    "num_inference_steps": "5, 10, 20",
    "guidance_scale": "1, 3, 6",
    "scheduler": "DDIMScheduler, EulerDiscreteScheduler",
    "seed": "1, 2, 3",
    "strength": "0.3, 0.6, 0.9",
    "variation_strength": "0, 0.1, 0.3",
    "prompt": "a red apple; a blue apple",
    "negative_prompt": "red; green",
}


def sweep(
    engine: Engine,
    request: ImageRequest,
    way: Way,
    across: Axis,
    down: Axis,
    *,
    settings: Settings | None = None,
    cancel: CancelToken | None = None,
) -> Iterator[list[list[tuple[Drawing, ImageRequest]]]]:
    """The grid, row by row, each time a cell has changed. Every cell has the same seed unless seeds are varied.

    A cell that fails holds its error, and the others go on. Raises `InvalidRequest` for a grid that is too large.
    """
    cells = len(across.values) * len(down.values)
    if cells > MOST:
        raise InvalidRequest(f"The grid would have {cells} pictures; {MOST} is the most. Leave out some values.")
    request = _with_seeds(request, (across.name, down.name))
    request.validate()
    grid = [[(Drawing(status="Waiting"), request) for _ in across.values] for _ in down.values]
    cleared: set[tuple[str, ...]] = set()  # words that were looked over already
    for y, x in ((y, x) for y in range(len(down.values)) for x in range(len(across.values))):
        if cancel is not None and cancel.cancelled:
            break
        here, asked = _cell(request, way, ((across, x), (down, y)))
        for drawing in _drawn(engine, here, asked, settings or engine.settings, cancel, asked.texts() in cleared):
            grid[y][x] = drawing, asked
            yield grid
        if grid[y][x][0].receipt is not None:
            cleared.add(asked.texts())
    yield grid


def _with_seeds(request: ImageRequest, varied: Sequence[str]) -> ImageRequest:
    """Seeds for those left open, so that all cells share them; a variation's where there are variations."""
    names = ["seed"]
    if request.variation_strength or "variation_strength" in varied:
        names.append("variation_seed")
    left: dict[str, Any] = {name: secrets.randbelow(2**31) for name in names if getattr(request, name) is None}
    return replace(request, **left)


def _cell(request: ImageRequest, way: Way, places: Sequence[tuple[Axis, int]]) -> tuple[Way, ImageRequest]:
    changes: dict[str, Any] = {}
    for side, at in places:
        if side.name == "engine":
            way = side.values[at]
        elif side.name == SEVERAL:
            changes |= side.values[at]
        elif side.name:
            changes[side.name] = side.values[at]
    return way, replace(request, **changes)


def _drawn(
    engine: Engine, way: Way, request: ImageRequest, settings: Settings, cancel: CancelToken | None, cleared: bool
) -> Iterator[Drawing]:
    try:
        # A switch of its own for each run, since one that has ended leaves its own pressed.
        own = CancelToken()
        events = engine.generate(way.model, request, mode=way.mode, variant=way.variant, settings=settings, cancel=own)
        grows = drawings(events if cleared else gated(events, request, settings, own))
        for drawing in previews_looked_over(grows, settings):
            if cancel is not None and cancel.cancelled:
                own.cancel()
            yield drawing
    except InferenceError as error:
        yield Drawing(error=error)
