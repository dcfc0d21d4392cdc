"""One text and seed over several engines, one after the other, so that none slows another."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from shared.audio.spoken import Spoken, speeches
from shared.engine import Engine
from shared.errors import InferenceError, InvalidRequest
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
    said = [Spoken(status="Waiting") for _ in ways]
    for number, way in enumerate(ways):
        if cancel is not None and cancel.cancelled:
            break
        for said[number] in _one(engine, way, replace(request, seed=seed, voice=way.voice), settings, cancel):
            yield list(said)
    yield list(said)


def _one(
    engine: Engine, way: Way, request: SpeechRequest, settings: Settings | None, cancel: CancelToken | None
) -> Iterator[Spoken]:
    # A switch of its own for each run, since one that has ended leaves its own pressed.
    own = CancelToken()
    try:
        events = engine.generate(way.model, request, variant=way.variant, settings=settings, cancel=own)
        for spoken in speeches(events):
            if cancel is not None and cancel.cancelled:
                own.cancel()
            yield spoken
    except InferenceError as error:
        yield Spoken(error=error)
