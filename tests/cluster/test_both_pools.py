"""What every pool promises, of one machine or of a cluster: the same engine in both, and the same assertions."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from shared.catalog import Catalog, ModelSpec, Variant
from shared.engine import Engine
from shared.errors import BackendError, Cancelled, ContextOverflow, CorruptWeights, InvalidRequest
from shared.events import Final, Partial, Progress
from shared.pool import ModelPool
from shared.pools import Pool
from shared.settings import Settings
from shared.streaming import CancelToken
from shared.tasks import Task
from tests.support import contract, paced
from tests.support.fakes import QUICK, SMALL, Listener, ask
from tests.support.paced import WORDS

SLOW = {"pause": 0.05, "pieces": 60}
PATIENT = 20.0  # seconds: a replica is a process, and starts as slowly as one


@pytest.fixture(scope="module", params=["local", "ray"])
def pool(request: pytest.FixtureRequest) -> Pool:
    if request.param == "ray":
        return request.getfixturevalue("ray_pool")
    return ModelPool(Settings(), SMALL, free_gb=lambda: SMALL.ram_gb)


def an_engine(pool: Pool, *variants: Variant) -> Engine:
    spec = ModelSpec(id="m", name="M", task=Task.CHAT, license="MIT", variants=variants)
    return Engine(Catalog([spec]), Settings(), SMALL, pool, QUICK)


@pytest.fixture(scope="module")
def case(pool: Pool) -> contract.Case:
    return contract.Case(an_engine(pool, paced.paced("several", pause=0.01, context=300)), "m", ask("Hello"))


def test_a_run_ends_in_one_final_with_a_receipt(case: contract.Case) -> None:
    final = contract.ends_in_one_final(case)
    assert final.output.text.split() == WORDS
    assert final.receipt.backend == "paced" and final.receipt.output_tokens == len(WORDS)
    assert final.receipt.device == "cpu" and final.receipt.memory_gb is not None


def test_events_pickle(case: contract.Case) -> None:
    contract.events_pickle(case)


def test_a_model_that_is_in_memory_is_not_loaded_again(case: contract.Case) -> None:
    case.events()
    *_, final = case.events()
    assert isinstance(final, Final)
    assert final.receipt.seconds.load == 0 and final.receipt.seconds.queue < 1
    assert [r.variant.repo_id for r in case.engine.pool.residents()].count("several") == 1
    contract.no_lease_is_left(case.engine)


def test_a_stop_ends_the_run_and_keeps_what_came(pool: Pool) -> None:
    engine = an_engine(pool, paced.paced("two", **SLOW))
    case = contract.Case(engine, "m", ask("Hello"))
    began = threading.Event()
    token = CancelToken()
    events = []
    for event in engine.generate("m", case.request, cancel=token):
        events.append(event)
        if isinstance(event, Partial) and not began.is_set():
            began.set()
            pressed = time.monotonic()
            token.cancel()
    assert time.monotonic() - pressed < 2
    final = events[-1]
    assert isinstance(final, Final) and final.output.finish_reason == "stopped"
    assert final.output.text.split()[0] == "one" and len(final.output.text.split()) < 60
    contract.no_lease_is_left(engine)


def test_errors_come_as_what_they_are(case: contract.Case) -> None:
    with pytest.raises(InvalidRequest, match="That is no request"):
        case.events(ask("invalid"))
    with pytest.raises(ContextOverflow) as caught:
        case.events(ask("overflow", overflow="error"))
    assert (caught.value.needed, caught.value.limit) == (900, 100)


def test_one_that_nobody_foresaw_is_named_and_its_words_are_kept_back(case: contract.Case) -> None:
    with pytest.raises(BackendError, match=r"not foreseen \(ZeroDivisionError\)") as caught:
        case.events(ask("broke"))
    assert "secret words" not in str(caught.value)


def test_a_conversation_that_is_too_long_is_trimmed_by_the_models_own_count(case: contract.Case) -> None:
    turns = ["word " * 100, "answer", "word " * 100, "answer", "word " * 90]
    *_, final = case.events(ask(*turns, overflow="trim"))
    assert isinstance(final, Final) and any("oldest messages" in note for note in final.receipt.notes)


def test_a_load_that_fails_says_why_and_is_tried_again_only_when_asked_anew(pool: Pool, tmp_path: Path) -> None:
    fails = tmp_path / "fails"
    fails.touch()
    engine = an_engine(pool, paced.paced("broken", fails=str(fails), load=0.5))
    with pytest.raises(CorruptWeights, match="Download it again"):
        list(engine.generate("m", ask()))
    assert "broken" not in {r.variant.repo_id for r in pool.residents()}
    fails.unlink()
    # Stopped while it loads, it is not in memory either.
    token = CancelToken()
    told = []
    for event in engine.generate("m", ask(), cancel=token):
        told.append(event)
        if isinstance(event, Progress) and event.message == "Reading weights":
            token.cancel()
    assert isinstance(told[-1], Final) and told[-1].output.finish_reason == "stopped" and not told[-1].output.text
    assert "broken" not in {r.variant.repo_id for r in pool.residents()}
    *told, final = engine.generate("m", ask())
    assert isinstance(final, Final) and final.receipt.seconds.load >= 0.5
    words = [event.message for event in told if isinstance(event, Progress)]
    assert not any("Waiting" in word for word in words[words.index("Reading weights") :]), "it has a place, and loads"


def test_who_asks_meanwhile_waits_for_the_same_load(pool: Pool) -> None:
    variant = paced.paced("several", load=0.5, concurrency=0)
    loads: list[float] = []

    def use() -> None:
        with pool.lease(variant, Settings(), Listener().emit) as lease:
            loads.append(lease.load_seconds)

    threads = [threading.Thread(target=use) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENT)
    assert sorted(load > 0 for load in loads) == [False, False, True]


def test_a_person_who_waits_can_leave(pool: Pool) -> None:
    variant = paced.paced("several", load=0.5, concurrency=0, pieces=2)
    listener = Listener()
    listener.cancel.cancel()
    with pytest.raises(Cancelled), pool.lease(variant, Settings(), listener.emit) as lease:
        lease.model.run(ask(), listener.emit)
    assert not any(r.leases for r in pool.residents())


def test_a_model_that_is_idle_is_unloaded_and_comes_back_when_asked(case: contract.Case) -> None:
    case.events()
    variant = case.engine.find("m").variants[0]
    assert case.engine.pool.unload(variant) == 1
    assert variant.key not in {r.variant.key for r in case.engine.pool.residents()}
    *_, final = case.events()
    assert isinstance(final, Final) and final.output.text.split() == WORDS
