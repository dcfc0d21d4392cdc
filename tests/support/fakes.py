"""Engines made of plain Python that keep the protocols, for tests of what lies above every engine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

from shared.backends import BACKENDS, Entry, get_backend
from shared.backends.base import Capabilities, LoadedModel, Outcome, Usage
from shared.catalog import Catalog, ModelSpec, Variant
from shared.engine import Engine
from shared.errors import BackendError
from shared.events import Event, Partial
from shared.machine import Machine
from shared.outputs import ChatOutput
from shared.pool import Lease, ModelPool
from shared.requests import ChatRequest, Message
from shared.retries import RetryPolicy
from shared.settings import Settings
from shared.streaming import CancelToken, Emit, Emitter
from shared.tasks import Task

PATIENCE = 5.0  # seconds after which a test that waits for something fails
SMALL = Machine(system="Linux", arch="x86_64", cores=2, ram_gb=8.0)
WITH_GPU = Machine(system="Linux", arch="x86_64", cores=8, ram_gb=64.0, cuda_gb=8.0, cuda_name="A card")
QUICK = RetryPolicy(base=0.002, cap=0.01)
USUAL = frozenset({"seed", "temperature", "top_p", "max_tokens", "stop"})

Run = Callable[[ChatRequest, Emit], Outcome]
Load = Callable[[Variant, Settings, Emit], None]


def say(*pieces: str, usage: Usage | None = None, facts: Mapping[str, Any] | None = None) -> Run:
    """A run that answers with these pieces."""

    def run(request: ChatRequest, emit: Emit) -> Outcome:
        for piece in pieces:
            emit(Partial(piece))
        return Outcome(output=ChatOutput(text="".join(pieces)), usage=usage or Usage(), facts=facts or {})

    return run


def fail(error: Exception, after: str = "") -> Run:
    """A run that breaks, after some text where it is given."""

    def run(request: ChatRequest, emit: Emit) -> Outcome:
        if after:
            emit(Partial(after))
        raise error

    return run


def in_turn(*runs: Run) -> Run:
    """The first run for the first call, and so on; the last one for all calls after it."""
    left = list(runs)
    return lambda request, emit: (left.pop(0) if len(left) > 1 else left[0])(request, emit)


@dataclass
class FakeModel:
    """A loaded model that runs a script and remembers what it was asked."""

    script: Run
    capabilities: Capabilities
    concurrency: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)
    count: Callable[[ChatRequest], int | None] = lambda request: None
    asked: list[ChatRequest] = field(default_factory=list)
    closed: int = 0

    def count_tokens(self, request: ChatRequest) -> int | None:
        return self.count(request)

    def run(self, request: ChatRequest, emit: Emit) -> Outcome:
        self.asked.append(request)
        return self.script(request, emit)

    def close(self) -> None:
        self.closed += 1


@dataclass
class FakeBackend:
    """An engine whose loading and running are the test's. `models` are those it loaded, in order."""

    name: str
    hosted: bool = False
    offloads: bool = False
    run: Run = field(default_factory=lambda: say("Hello", " there"))
    on_load: Load = lambda variant, settings, emit: None
    missing: str | None = None
    takes: frozenset[str] = USUAL
    more: Mapping[str, Any] = field(default_factory=lambda: {"seed": "exact"})
    concurrency: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)
    count: Callable[[ChatRequest], int | None] = lambda request: None
    models: list[FakeModel] = field(default_factory=list)
    loads: int = 0
    checked_with: Settings | None = None

    @property
    def label(self) -> str:
        """What a person reads."""
        return f"The {self.name} engine"

    @property
    def asked(self) -> list[ChatRequest]:
        """Every request that reached a model."""
        return [request for model in self.models for request in model.asked]

    def check(self, variant: Variant, settings: Settings) -> None:
        self.checked_with = settings
        if self.missing:
            raise BackendError(self.missing)

    def capabilities(self, variant: Variant) -> Capabilities:
        return Capabilities(parameters=self.takes, **self.more)

    def load(self, variant: Variant, settings: Settings, emit: Emit) -> LoadedModel:
        self.loads += 1
        self.on_load(variant, settings, emit)
        model = FakeModel(self.run, self.capabilities(variant), self.concurrency, self.facts, self.count)
        self.models.append(model)
        return model


_added: dict[str, FakeBackend] = {}


def __getattr__(name: str) -> Callable[[], FakeBackend]:
    """How the table of engines finds a fake by its path: `tests.support.fakes:NAME`."""
    if name in _added:
        return lambda: _added[name]
    raise AttributeError(name)


@contextmanager
def table_of_engines() -> Iterator[Callable[[FakeBackend], FakeBackend]]:
    """Yields a function that adds a fake to the table of engines, which is as before after the block."""
    before = dict(BACKENDS)

    def add(backend: FakeBackend) -> FakeBackend:
        _added[backend.name] = backend
        BACKENDS[backend.name] = Entry(
            f"{__name__}:{backend.name}", backend.label, hosted=backend.hosted, offloads=backend.offloads
        )
        get_backend.cache_clear()
        return backend

    try:
        yield add
    finally:
        BACKENDS.clear()
        BACKENDS.update(before)
        _added.clear()
        get_backend.cache_clear()


def a_variant(backend: FakeBackend, repo_id: str = "some/model", **more: Any) -> Variant:
    """A way to run a model on the fake."""
    return Variant(backend=backend.name, repo_id=repo_id, **more)


def an_engine(*variants: Variant, settings: Settings | None = None, **spec: Any) -> Engine:
    """An engine on a small machine that knows one model, `m`, with these variants."""
    row = {"id": "m", "name": "Model M", "task": Task.CHAT, "license": "MIT", **spec}
    settings = settings or Settings()
    pool = ModelPool(settings, SMALL, free_gb=lambda: SMALL.ram_gb)
    return Engine(Catalog([ModelSpec(variants=variants, **row)]), settings, SMALL, pool, QUICK)


def ask(*texts: str, **settings: Any) -> ChatRequest:
    """A conversation of turns, the person's first."""
    said = texts or ("Hi",)
    return ChatRequest(messages=tuple(map(Message, cycle(("user", "assistant")), said)), **settings)


class Listener:
    """An `Emit` that keeps the events, with a stop switch."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.cancel = CancelToken()
        self.emit: Emit = Emitter(self.events.append, self.cancel)

    def heard(self, words: str) -> bool:
        """Whether a message with these words came."""
        return any(words in getattr(event, "message", "") for event in self.events)


class Holder(threading.Thread):
    """Leases a model in a thread of its own and holds it until `let_go` is set. `error` is what broke it."""

    def __init__(self, pool: ModelPool, variant: Variant) -> None:
        super().__init__(daemon=True)
        self.pool, self.variant, self.listener = pool, variant, Listener()
        self.has_it, self.let_go = threading.Event(), threading.Event()
        self.lease: Lease | None = None
        self.error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            with self.pool.lease(self.variant, Settings(), self.listener.emit) as self.lease:
                self.has_it.set()
                self.let_go.wait(PATIENCE)
        except BaseException as error:
            self.error = error

    def end(self) -> None:
        """Let the model go and wait until that is done."""
        self.let_go.set()
        self.join(PATIENCE)
        assert not self.is_alive()


def until(condition: Callable[[], object], what: str = "it") -> None:
    """Wait until the condition holds; fails the test after some seconds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.002)
