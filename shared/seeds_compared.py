"""One prompt over engines and seeds, one run after the other, told of together."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from shared.comparing import in_turn
from shared.engine import Engine
from shared.errors import InvalidRequest
from shared.events import Event
from shared.pacing import SoFar
from shared.requests import Request
from shared.settings import Settings
from shared.streaming import CancelToken

MOST = 8  # runs
Growing = TypeVar("Growing", bound=SoFar)


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
        raise InvalidRequest(f"Choose an engine at least, and {MOST} runs at most: engines times seeds.")
    first = secrets.randbelow(2**31) if seed is None else seed
    return [Way(model, variant, first + number) for model, variant in engines for number in range(seeds)]


def compare(
    engine: Engine,
    request: Request,
    asked: Sequence[Way],
    growing: Callable[[Iterator[Event]], Iterator[Growing]],
    made: type[Growing],
    *,
    settings: Settings | None = None,
    cancel: CancelToken | None = None,
) -> Iterator[list[Growing]]:
    """What there is of each, each time there is more of one. One that fails holds its error.

    `growing` makes `made` of a run's events. Raises `InvalidRequest` for what can't be asked of any.
    """
    for way in asked:
        replace(request, seed=way.seed).validate()

    def one(way: Way, stop: CancelToken) -> Iterator[Growing]:
        wanted = replace(request, seed=way.seed)
        yield from growing(engine.generate(way.model, wanted, variant=way.variant, settings=settings, cancel=stop))

    yield from in_turn(
        [partial(one, way) for way in asked], made(status="Waiting"), lambda error: made(error=error), cancel
    )
