"""A model on a GPU runs on one thread that stays, whoever asks; on anything else by whoever asks."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from shared.catalog import Variant
from shared.errors import Cancelled, InvalidRequest
from shared.own_thread import OnOwnThread, OwnThread
from shared.pool import ModelPool
from shared.requests import ChatRequest, Message
from shared.settings import Settings
from shared.streaming import Emitter
from tests.support.fakes import WITH_GPU, FakeBackend, a_variant

ASKED = ChatRequest(messages=(Message("user", "Hello"),))
Add = Callable[[FakeBackend], FakeBackend]
who: contextvars.ContextVar[str] = contextvars.ContextVar("who", default="nobody")


def used(pool: ModelPool, variant: Variant, cancel: bool = False) -> None:
    emit = Emitter(lambda event: None)
    with pool.lease(variant, Settings(), emit) as lease:
        if cancel:
            emit.cancel.cancel()
        lease.model.run(ASKED, emit)


@pytest.mark.parametrize(("device", "concurrency", "threads"), [("cuda", 1, 1), ("cuda", 0, 3), ("cpu", 1, 3)])
def test_only_one_that_takes_a_gpu_for_itself_keeps_a_thread(
    add: Add, device: str, concurrency: int, threads: int
) -> None:
    seen: list[threading.Thread] = []

    def run(request: Any, emit: Any) -> Any:
        seen.append(threading.current_thread())
        return original(request, emit)

    backend = FakeBackend("fake", concurrency=concurrency)
    original, backend.run = backend.run, run
    pool = ModelPool(Settings(), WITH_GPU, free_gb=lambda: 100.0)
    variant = a_variant(add(backend), device=device)
    people = [threading.Thread(target=used, args=(pool, variant)) for _ in range(3)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert len(seen) == 3 and len(set(seen)) == threads
    with pytest.raises(Cancelled):
        used(pool, variant, cancel=True)
    pool.unload()
    assert backend.models[0].closed == 1
    until = time.monotonic() + 10
    while seen[0].is_alive() and time.monotonic() < until:
        time.sleep(0.01)
    assert not seen[0].is_alive()


def test_what_is_done_there_knows_who_asked_and_fails_here() -> None:
    there = OwnThread("test")
    who.set("somebody")
    assert there.do(who.get) == "somebody"

    def fail() -> None:
        raise InvalidRequest("No.")

    with pytest.raises(InvalidRequest, match="No"):
        there.do(fail)
    assert there.do(lambda: 3) == 3
    there.end()
    there.end()
    with pytest.raises(RuntimeError, match="has ended"):
        there.do(lambda: 4)


def test_the_rest_of_a_model_is_its_own(add: Add) -> None:
    backend = add(FakeBackend("fake", concurrency=1, facts={"device": "cuda"}))
    model = backend.load(a_variant(backend), Settings(), Emitter(lambda event: None))
    wrapped = OnOwnThread(model, "fake")
    assert wrapped.facts == {"device": "cuda"} and wrapped.asked == []
    wrapped.close()
    wrapped.close()
