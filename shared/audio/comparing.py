"""One text and seed over several engines, one after the other, so that none slows another."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from shared.audio.spoken import Spoken, speeches
from shared.comparing import in_turn
from shared.engine import Engine
from shared.errors import InvalidRequest
from shared.requests import SpeechRequest
from shared.settings import Settings
from shared.streaming import CancelToken

MOST = 8  # engines


@dataclass(frozen=True)
class Way:
    """A model and one engine of it (a `Variant.key`), and the voice to speak with there; None: its usual one."""

    model: str
    variant: str
    voice: str | None = None


def compare(
    engine: Engine,
    request: SpeechRequest,
    ways: Sequence[Way],
    *,
    settings: Settings | None = None,
    cancel: CancelToken | None = None,
) -> Iterator[list[Spoken]]:
    """What each engine has said so far, each time one of them has said more. All get the same seed.

    One that fails holds its error, and the others go on. Raises `InvalidRequest` for none, or too many.
    """
    if not 1 <= len(ways) <= MOST:
        raise InvalidRequest(f"Choose between one and {MOST} engines to compare.")
    seed = secrets.randbelow(2**31) if request.seed is None else request.seed
    replace(request, seed=seed).validate()
    runs = [partial(_one, engine, way, replace(request, seed=seed, voice=way.voice), settings) for way in ways]
    yield from in_turn(runs, Spoken(status="Waiting"), lambda error: Spoken(error=error), cancel)


def _one(
    engine: Engine, way: Way, request: SpeechRequest, settings: Settings | None, cancel: CancelToken
) -> Iterator[Spoken]:
    yield from speeches(engine.generate(way.model, request, variant=way.variant, settings=settings, cancel=cancel))
