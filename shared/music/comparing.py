"""One prompt over engines and seeds, so that what comes of each can be seen and heard side by side."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from shared.comparing import in_turn
from shared.engine import Engine
from shared.errors import InvalidRequest
from shared.music.composed import Composition, compositions
from shared.requests import MusicRequest
from shared.settings import Settings
from shared.streaming import CancelToken

MOST = 8  # compositions


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
        raise InvalidRequest(f"Choose an engine at least, and {MOST} compositions at most: engines times seeds.")
    first = secrets.randbelow(2**31) if seed is None else seed
    return [Way(model, variant, first + number) for model, variant in engines for number in range(seeds)]


def compare(
    engine: Engine,
    request: MusicRequest,
    asked: Sequence[Way],
    *,
    settings: Settings | None = None,
    cancel: CancelToken | None = None,
) -> Iterator[list[Composition]]:
    """What each has written so far, each time one has written more. One that fails holds its error. Raises
    `InvalidRequest` for what can't be asked of any."""
    for way in asked:
        replace(request, seed=way.seed).validate()
    runs = [partial(_one, engine, way, replace(request, seed=way.seed), settings) for way in asked]
    yield from in_turn(runs, Composition(status="Waiting"), lambda error: Composition(error=error), cancel)


def _one(
    engine: Engine, way: Way, request: MusicRequest, settings: Settings | None, cancel: CancelToken
) -> Iterator[Composition]:
    yield from compositions(engine.generate(way.model, request, variant=way.variant, settings=settings, cancel=cancel))
