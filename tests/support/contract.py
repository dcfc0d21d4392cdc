"""What every engine promises, as assertions that any engine's tests can call."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from shared.backends import BACKENDS, get_backend
from shared.engine import Engine
from shared.errors import BackendError
from shared.events import Event, Final, Partial
from shared.requests import Request
from shared.settings import Settings
from shared.streaming import CancelToken, Emitter

# Imported by no module of ours before an engine is used.
LOCAL = ("torch", "diffusers", "transformers", "openvino", "nncf")
HEAVY = (*LOCAL, "openai", "anthropic", "google.genai", "huggingface_hub", "httpx2")


@dataclass(frozen=True)
class Case:
    """An engine under test: a model id and settings that make it run, and a request that it can answer."""

    engine: Engine
    model: str
    request: Request
    settings: Settings | None = None
    variant: str | None = None

    def events(self, request: Request | None = None) -> list[Event]:
        """All events of one run."""
        asked = request or self.request
        return list(self.engine.generate(self.model, asked, settings=self.settings, variant=self.variant))


def ends_in_one_final(case: Case) -> Final:
    """The run ends in exactly one `Final`, whose text is what was streamed."""
    events = case.events()
    finals = [e for e in events if isinstance(e, Final)]
    assert len(finals) == 1 and events[-1] is finals[0]
    partials = [e for e in events if isinstance(e, Partial)]
    assert finals[0].output.text == "".join(p.text for p in partials)
    assert finals[0].output.thinking == "".join(p.thinking for p in partials)
    assert finals[0].output.text
    assert finals[0].receipt.backend and finals[0].receipt.versions
    return finals[0]


def events_pickle(case: Case) -> None:
    """Every event survives pickling: it may come from another process."""
    events = case.events()
    assert pickle.loads(pickle.dumps(events)) == events


def unhonoured_stand_in_the_receipt(case: Case, request: Request, *names: str) -> None:
    """Settings that the engine can't follow are named in the receipt, with a reason, and not as honoured."""
    *_, final = case.events(request)
    assert isinstance(final, Final)
    for name in names:
        assert len(final.receipt.unhonoured[name]) > 10, name
        assert name not in final.receipt.settings


def stop_keeps_what_came(case: Case, when: Callable[[], object], within: float = 1.0) -> Final:
    """Pressing the stop switch after `when()` returns ends the run soon, in a `Final` that says so."""
    token, times, events = CancelToken(), {}, []

    def press() -> None:
        when()
        times["pressed"] = time.monotonic()
        token.cancel()

    presser = threading.Thread(target=press)
    presser.start()
    run = case.engine.generate(case.model, case.request, settings=case.settings, variant=case.variant, cancel=token)
    events = list(run)
    ended = time.monotonic()
    presser.join()
    assert ended - times["pressed"] < within
    final = events[-1]
    assert isinstance(final, Final) and final.output.finish_reason == "stopped"
    no_lease_is_left(case.engine)
    return final


def no_lease_is_left(engine: Engine, within: float = 2.0) -> None:
    """Every model is free again, once the workers that were stopped have noticed."""
    end = time.monotonic() + within
    while any(r.leases for r in engine.pool.residents()):
        assert time.monotonic() < end, "a lease is still held"
        time.sleep(0.02)


def closes_twice(case: Case) -> None:
    """`close()` may be called again."""
    settings = case.settings or case.engine.settings
    variant = case.engine.plan(case.engine.find(case.model, settings, case.request.TASK), settings=settings).candidates[
        0
    ]
    model = get_backend(variant.backend).load(variant, settings, Emitter(lambda event: None))
    model.close()
    model.close()


def check_names_what_is_missing(case: Case, bare: Settings, missing: str) -> None:
    """With settings that lack something, `check` says what, before anything is loaded."""
    variant = case.engine.find(case.model, bare, case.request.TASK).variants[0]
    with pytest.raises(BackendError, match=missing):
        get_backend(variant.backend).check(variant, bare)


def import_is_light(backend: str) -> None:
    """Importing the engine's module, and checking it, loads no library that it wraps."""
    module, _, name = BACKENDS[backend].path.partition(":")
    code = f"import sys; from {module} import {name}; {name}(); print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
