"""One prompt over engines and seeds, one run after the other, told of together."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

from shared.comparing import in_turn
from shared.engine import Engine
from shared.errors import InvalidRequest
from shared.events import Event
from shared.pacing import SoFar
from shared.requests import Request
from shared.settings import Settings
from shared.streaming import CancelToken

MOST = 8  # runs
Asked = TypeVar("Asked", bound=Request)
Growing = TypeVar("Growing", bound=SoFar)


@dataclass(frozen=True)
class Way:
    """A model, one engine of it (a `Variant.key`), a seed, and what else of the request it has for itself."""

    model: str
    variant: str
    seed: int
    changes: Mapping[str, Any] = field(default_factory=dict)

    def asked(self, request: Asked) -> Asked:
        """The request as it is asked this way."""
        return replace(request, **{**self.changes, "seed": self.seed})


def ways(
    engines: Sequence[tuple[str, str]], seed: int | None, seeds: int, name: str = "", values: Sequence[Any] = ()
) -> list[Way]:
    """Each engine (model and `Variant.key`) with so many seeds, from `seed` or a drawn one on: the same for all.

    And each of these with each of the `values` of the setting `name`, where one is named. Raises `InvalidRequest` for
    none, or too many.
    """
    each = [{name: value} for value in values] if name else [{}]
    if not 1 <= len(engines) * seeds * len(each) <= MOST:
        raise InvalidRequest(f"Choose an engine at least, and {MOST} runs at most: engines times seeds times values.")
    first = secrets.randbelow(2**31) if seed is None else seed
    return [
        Way(model, variant, first + number, more)
        for model, variant in engines
        for number in range(seeds)
        for more in each
    ]


def compare(
    engine: Engine,
    request: Request,
    asked: Sequence[Way],
    growing: Callable[[Iterator[Event], CancelToken], Iterator[Growing]],
    made: type[Growing],
    *,
    settings: Settings | None = None,
    cancel: CancelToken | None = None,
    owner: str = "",
) -> Iterator[list[Growing]]:
    """What there is of each, each time there is more of one. One that fails holds its error.

    `growing` makes `made` of a run's events; it gets the run's stop switch too. `owner`: who finds again what providers
    make. Raises `InvalidRequest` for what can't be asked of any.
    """
    for way in asked:
        way.asked(request).validate()

    def one(way: Way, stop: CancelToken) -> Iterator[Growing]:
        events = engine.generate(
            way.model, way.asked(request), variant=way.variant, settings=settings, cancel=stop, owner=owner
        )
        yield from growing(events, stop)

    yield from in_turn(
        [partial(one, way) for way in asked], made(status="Waiting"), lambda error: made(error=error), cancel
    )
