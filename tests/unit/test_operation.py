"""What a server says of itself to who keeps it, and how it ends without losing what runs."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from shared.catalog import Catalog
from shared.engine import Engine
from shared.errors import LimitReached
from shared.operation import readiness
from shared.operation.draining import Drain
from shared.operation.readiness import Readiness, starters_run
from shared.settings import Settings
from shared.tasks import Task


def test_nothing_new_begins_while_it_drains_and_what_runs_ends() -> None:
    drain, going = Drain(), threading.Event()

    def work() -> None:
        with drain.run():
            going.wait(30)

    run = threading.Thread(target=work)
    run.start()
    while not drain.running:
        time.sleep(0.001)
    drain.begin()
    with pytest.raises(LimitReached, match="being stopped") as refused, drain.run():
        pass
    assert refused.value.retry_after
    assert not drain.wait(0.06) and drain.running == 1
    going.set()
    assert drain.wait(30) and drain.running == 0
    run.join()


def test_a_run_that_breaks_is_over() -> None:
    drain = Drain()
    with pytest.raises(ZeroDivisionError), drain.run():
        raise ZeroDivisionError
    assert drain.running == 0


def test_it_is_ready_unless_a_check_or_its_end_is_against_it() -> None:
    drain = Drain()
    assert Readiness([lambda: None], drain).reasons() == []
    assert Readiness([lambda: None, lambda: "no disk"], drain).reasons() == ["no disk"]
    assert "KeyError" in Readiness([lambda: {}["a secret"]], drain).reasons()[0]
    assert "a secret" not in Readiness([lambda: {}["a secret"]], drain).reasons()[0]
    drain.begin()
    assert "draining" in Readiness([], drain).reasons()[0]


def test_a_space_whose_starter_is_gone_is_not_ready(engine: Engine, tmp_path: Path) -> None:
    assert starters_run(engine, list(Task)) is None  # also those that no model comes along for
    starter = next(spec for spec in engine.catalog if spec.starter and spec.task == Task.CHAT)
    lacking = Engine(Catalog([replace(starter, variants=())]), Settings(data_dir=tmp_path))
    assert "conversational" in str(starters_run(lacking, [Task.CHAT, Task.TEXT_TO_IMAGE]))
    assert "image" not in str(starters_run(lacking, [Task.CHAT, Task.TEXT_TO_IMAGE]))


def test_asking_often_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[None] = []
    asked = Readiness([lambda: looked.append(None)], Drain())
    for _ in range(3):
        asked.reasons()
    assert len(looked) == 1
    monkeypatch.setattr(readiness, "KEPT", -1.0)
    asked.reasons()
    assert len(looked) == 2
