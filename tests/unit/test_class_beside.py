"""Work of a class that asks no engine: the teacher's rules, turns and budgets hold for it; and Gradio's own queue."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from shared.classroom import identity
from shared.classroom.beside import Beside
from shared.classroom.desk import EVERYBODY, Class, class_of
from shared.errors import InferenceError, LimitReached
from shared.operation import beside
from shared.settings import Secret, Settings
from shared.state.ledger import Unit
from shared.state.shares import shares_of
from shared.streaming import CancelToken
from shared.ui.classroom.fair_share import MOST, PLACES, share_out
from shared.ui.jobs_panel import Owner
from shared.ui.models_panel import _may_unload
from shared.ui.running import Shown, _in_turn
from shared.ui.sharing import Made, ShareRow
from tests.support.fakes import an_engine


@pytest.fixture
def room(tmp_path: Path) -> Class:
    return class_of(Settings(data_dir=tmp_path, classroom=True, class_passphrase=Secret("phrase")))


@pytest.fixture
def asks(room: Class) -> Iterator[Callable[[str], None]]:
    """Says who asks from now on in this thread: somebody of that name, who joins; "teacher"; "" for nobody."""
    asking = threading.local()

    def as_one(name: str) -> None:
        token = (
            room.teach("phrase") if name == "teacher" else room.room.join(room.room.facts.code, name) if name else ""
        )
        asking.jar = {identity.TEACHER_COOKIE if name == "teacher" else identity.COOKIE: token}

    identity.read_by(lambda name: getattr(asking, "jar", {}).get(name, ""))
    beside.taken_by(Beside(room))
    yield as_one
    beside.taken_by(None)
    identity.read_by(lambda name: "")


def work(cancel: CancelToken) -> Iterator[Shown]:
    yield Shown(["done"])


def worked() -> list[Any]:
    return [shown.values[0] for shown in _in_turn(work, 1)(CancelToken())]


def test_who_may_not_run_has_nothing_else_done_either(room: Class, asks: Callable[[str], None]) -> None:
    with pytest.raises(InferenceError, match="/join"):
        worked()
    asks("Ada")
    assert worked() == ["done"]
    (ada,) = room.room.people
    for facts, words in (({"frozen": True}, "frozen"), ({"frozen": False, "own": {"gpu_seconds": 30}}, "budget")):
        room.room.set(**facts)
        with pytest.raises(LimitReached, match=words):
            worked()
    room.room.set(own={})
    room.room.mark(ada.id, muted=True)
    with pytest.raises(LimitReached, match="muted"):
        worked()
    asks("teacher")
    assert worked() == ["done"]


def test_it_waits_for_its_turn_and_is_paid_for(room: Class, asks: Callable[[str], None]) -> None:
    asks("Ada")
    room.room.set(paused=True)
    waiting = _in_turn(work, 1)(CancelToken())
    assert "paused" in next(waiting).status and room.queues.seen()
    room.room.set(paused=False)
    assert [shown.values[0] for shown in waiting if not shown.status] == ["done"]
    (spent,) = [b for b in room.ledger.balances(EVERYBODY) if b.unit == Unit.GPU_SECONDS]
    assert spent.spent > 0 and spent.reserved == 0
    room.room.set(paused=True)
    left = _in_turn(work, 1)(CancelToken())
    next(left)
    left.close()  # type: ignore[attr-defined]
    assert not any(queue.waiting or queue.running for queue in room.queues.seen())


def test_models_are_unloaded_by_the_teacher_alone(room: Class, asks: Callable[[str], None]) -> None:
    asks("Ada")
    assert not _may_unload(room.settings) and _may_unload(Settings())
    asks("teacher")
    assert _may_unload(room.settings)


def test_nobody_fills_gradios_queue_for_all(room: Class) -> None:
    numbers = itertools.count()
    queue = SimpleNamespace(active_jobs=[None] * 3, max_thread_count=3, event_ids_to_events={})

    async def push(body: Any, request: Any, username: Any) -> tuple[bool, str, str]:
        event = str(next(numbers))
        queue.event_ids_to_events[event] = body
        return True, event, "success"

    queue.push = push
    share_out(SimpleNamespace(_queue=queue), room)
    assert len(queue.active_jobs) == queue.max_thread_count == PLACES

    def sent(token: str) -> bool:
        scope = {"type": "http", "headers": []}
        request = SimpleNamespace(cookies={identity.COOKIE: token}, scope=scope)
        return bool(asyncio.run(queue.push(body=1, request=request, username=None))[0])

    ada, bob = (room.room.join(room.room.facts.code, name) for name in ("Ada", "Bob"))
    assert [sent(ada) for _ in range(MOST + 5)].count(True) == MOST and sent(bob)
    queue.event_ids_to_events.popitem()  # Bob's
    del queue.event_ids_to_events["0"]
    assert sent(ada) and not sent(ada)


def test_what_is_whose_goes_by_the_person_and_not_by_a_schools_browser(
    room: Class, asks: Callable[[str], None]
) -> None:
    engine = an_engine(settings=room.settings)

    async def made() -> Owner:
        with gr.Blocks(analytics_enabled=False):
            return Owner(engine)

    owner = asyncio.run(made())
    shares, token = shares_of(room.settings), engine.jobs.owners.new()
    asks("Ada")
    adas = owner.of(token)
    shared = shares.page(adas, "chat", {"text": "hers"})
    asks("Bob")  # sits down where she was
    assert owner.of(token) != adas and not shares.of(owner.of(token)) and not shares.take_back(shared, owner.of(token))
    asks("teacher")
    assert owner.of(token) == engine.jobs.owners.owner(token) and owner.given(token) == token
    private = shares.page(owner.of(token), "chat", {"text": "the teacher's own"})
    room.delete_all()
    assert shares.get(shared, "page") is None and shares.get(private, "page")


def test_who_is_muted_shows_nothing_to_the_others_either(room: Class, asks: Callable[[str], None]) -> None:
    engine = an_engine(settings=room.settings)
    output = Made({"request": {"prompt": "a cat"}, "receipt": {}}, text="An answer")

    async def row() -> Any:
        with gr.Blocks(analytics_enabled=False) as demo:
            ShareRow("restore").wire(engine, "chat", Owner(engine), gr.State(None), lambda _: output)
        return next(each.fn for each in demo.fns.values() if getattr(each.fn, "__name__", "") == "show")

    show = asyncio.run(row())
    asks("Ada")
    assert show("/chat/", "", None)[0].startswith("/shared/")
    room.room.mark(room.room.people[0].id, muted=True)
    path, _, told, _ = show("/chat/", "", None)
    assert not path and "muted" in told
