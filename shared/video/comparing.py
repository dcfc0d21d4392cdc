"""One prompt over engines and seeds, so that what each makes can be seen side by side."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

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
    """A model, one engine of it (a `Variant.key`), and what of the request it has for itself: its seed at least."""

    model: str
    variant: str
    changes: Mapping[str, Any]


def ways(
    engines: Sequence[tuple[str, str]], seed: int | None, seeds: int, name: str = "", values: Sequence[Any] = ()
) -> list[Way]:
    """Each engine (model and `Variant.key`) with so many seeds, from `seed` or a drawn one on: the same for all.

    And each of these with each of the `values` of the setting `name`, where there is one. Raises `InvalidRequest` for
    none, or too many.
    """
    each = [{name: value} for value in values] if name else [{}]
    if not 1 <= len(engines) * seeds * len(each) <= MOST:
        raise InvalidRequest(f"Choose an engine at least, and {MOST} clips at most: engines times seeds times values.")
    first = secrets.randbelow(2**31) if seed is None else seed
    return [
        Way(model, variant, {"seed": first + number, **more})
        for model, variant in engines
        for number in range(seeds)
        for more in each
    ]


def compare(
    engine: Engine,
    request: VideoRequest,
    asked: Sequence[Way],
    *,
    settings: Settings,
    cancel: CancelToken,
    owner: str = "",
) -> Iterator[list[Filming]]:
    """What each has made so far, each time there is more of one. One that fails holds its error."""
    for way in asked:
        replace(request, **way.changes).validate()
    runs = [partial(_one, engine, way, replace(request, **way.changes), settings, owner) for way in asked]
    yield from in_turn(runs, Filming(status="Waiting"), lambda error: Filming(error=error), cancel)


def _one(
    engine: Engine, way: Way, request: VideoRequest, settings: Settings, owner: str, cancel: CancelToken
) -> Iterator[Filming]:
    events = engine.generate(way.model, request, variant=way.variant, settings=settings, cancel=cancel, owner=owner)
    yield from previews_looked_over(filmings(gated(events, request, settings, cancel)), settings)
