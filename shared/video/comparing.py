"""One prompt over engines and seeds, so that what each makes can be seen side by side."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from shared.comparing import in_turn
from shared.engine import Engine
from shared.errors import InvalidRequest
from shared.image.gate import gated
from shared.requests import VideoRequest
from shared.settings import Settings
from shared.streaming import CancelToken
from shared.video.filming import Filming, filmings
from shared.video.finishing import previews_looked_over

MOST = 6  # clips


@dataclass(frozen=True)
class Way:
    """A model, one engine of it (a `Variant.key`), and a seed."""

    model: str
    variant: str
    seed: int


def ways(engines: Sequence[tuple[str, str]], seed: int | None, seeds: int) -> list[Way]:
    """Each engine (model and `Variant.key`) with so many seeds, from `seed` or a drawn one on: the same for all.

    Raises `InvalidRequest` for none, or too many.
    """
    if not 1 <= len(engines) * seeds <= MOST:
        raise InvalidRequest(f"Choose an engine at least, and {MOST} clips at most: engines times seeds.")
    first = secrets.randbelow(2**31) if seed is None else seed
    return [Way(model, variant, first + number) for model, variant in engines for number in range(seeds)]


def compare(
    engine: Engine, request: VideoRequest, asked: Sequence[Way], *, settings: Settings, cancel: CancelToken
) -> Iterator[list[Filming]]:
    """What each has made so far, each time there is more of one. One that fails holds its error."""
    for way in asked:
        replace(request, seed=way.seed).validate()
    runs = [partial(_one, engine, way, replace(request, seed=way.seed), settings) for way in asked]
    yield from in_turn(runs, Filming(status="Waiting"), lambda error: Filming(error=error), cancel)


def _one(engine: Engine, way: Way, request: VideoRequest, settings: Settings, cancel: CancelToken) -> Iterator[Filming]:
    events = engine.generate(way.model, request, variant=way.variant, settings=settings, cancel=cancel)
    yield from previews_looked_over(filmings(gated(events, request, settings, cancel)), settings)
