"""Models are loaded once, shared, queued for, and unloaded in the right order; and nobody waits for the pool's lock."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from shared.catalog import Variant
from shared.errors import BackendError, Cancelled, OutOfMemory
from shared.pool import ModelPool
from shared.settings import Settings
from shared.streaming import Emit
from tests.support.fakes import PATIENCE, SMALL, WITH_GPU, FakeBackend, Holder, Listener, a_variant, until

Add = Callable[[FakeBackend], FakeBackend]


def a_pool(budget: float | None = None, machine=SMALL) -> ModelPool:  # type: ignore[no-untyped-def]
    """A pool on a machine that has plenty of free memory, whatever this one has."""
    return ModelPool(Settings(memory_budget_gb=budget), machine, free_gb=lambda: 100.0)


def use(pool: ModelPool, variant: Variant) -> object:
    """Borrow the model for a moment; returns it."""
    with pool.lease(variant, Settings(), Listener().emit) as lease:
        return lease.model


def names(pool: ModelPool) -> set[str]:
    """What is in memory."""
    return {resident.variant.repo_id for resident in pool.residents()}


class Gate:
    """A load that begins, and goes on when it is told; it can be cancelled meanwhile."""

    def __init__(self, only: str | None = None, error: Exception | None = None) -> None:
        self.only, self.error = only, error
        self.begun, self.open = threading.Event(), threading.Event()

    def __call__(self, variant: Variant, settings: Settings, emit: Emit) -> None:
        if self.only not in {None, variant.repo_id}:
            return
        self.begun.set()
        while not self.open.wait(0.005):
            emit.check()
        if self.error:
            raise self.error


def waiting(holders: list[Holder], words: str = "This model is being loaded") -> Callable[[], bool]:
    """Whether all but one of them wait."""
    return lambda: sum(h.listener.heard(words) for h in holders) == len(holders) - 1


def test_many_who_ask_at_once_share_one_load(add: Add) -> None:
    gate = Gate()
    backend, pool = add(FakeBackend("fake", on_load=gate)), a_pool()
    holders = [Holder(pool, a_variant(backend)) for _ in range(8)]
    until(waiting(holders))
    gate.open.set()
    until(lambda: all(h.has_it.is_set() for h in holders))
    assert backend.loads == 1
    assert {id(h.lease.model) for h in holders if h.lease} == {id(backend.models[0])}
    assert [r.leases for r in pool.residents()] == [8]
    for holder in holders:
        holder.end()
    assert [r.leases for r in pool.residents()] == [0]


def test_a_load_that_fails_is_told_to_all_who_wait_and_tried_again_only_when_asked_anew(add: Add) -> None:
    gate = Gate(error=BackendError("The disk is full."))
    backend, pool = add(FakeBackend("fake", on_load=gate)), a_pool()
    holders = [Holder(pool, a_variant(backend)) for _ in range(4)]
    until(waiting(holders))
    gate.open.set()
    for holder in holders:
        holder.join(PATIENCE)
    assert [str(h.error) for h in holders] == ["The disk is full."] * 4
    assert backend.loads == 1
    gate.error = None
    use(pool, a_variant(backend))
    assert backend.loads == 2


def test_when_the_one_who_loads_leaves_one_who_waits_takes_over(add: Add) -> None:
    gate = Gate()
    backend, pool = add(FakeBackend("fake", on_load=gate)), a_pool()
    first = Holder(pool, a_variant(backend))
    until(gate.begun.is_set)
    others = [Holder(pool, a_variant(backend)) for _ in range(3)]
    until(lambda: all(h.listener.heard("being loaded already") for h in others))
    first.listener.cancel.cancel()
    first.join(PATIENCE)
    assert isinstance(first.error, Cancelled)
    until(lambda: backend.loads == 2)
    gate.open.set()
    until(lambda: all(h.has_it.is_set() for h in others))
    assert backend.loads == 2 and len(backend.models) == 1
    for holder in others:
        holder.end()
    assert [r.leases for r in pool.residents()] == [0]


def test_one_who_waits_for_a_load_can_leave_and_the_load_goes_on(add: Add) -> None:
    gate = Gate()
    backend, pool = add(FakeBackend("fake", on_load=gate)), a_pool()
    first = Holder(pool, a_variant(backend))
    until(gate.begun.is_set)
    second = Holder(pool, a_variant(backend))
    until(lambda: second.listener.heard("being loaded already"))
    second.listener.cancel.cancel()
    second.join(PATIENCE)
    assert isinstance(second.error, Cancelled)
    gate.open.set()
    until(first.has_it.is_set)
    assert [r.leases for r in pool.residents()] == [1]
    first.end()


def test_while_one_model_loads_others_are_lent_listed_and_unloaded(add: Add) -> None:
    gate = Gate(only="slow")
    backend, pool = add(FakeBackend("fake", on_load=gate)), a_pool()
    use(pool, a_variant(backend, "ready"))
    loader = Holder(pool, a_variant(backend, "slow"))
    until(gate.begun.is_set)
    other = Holder(pool, a_variant(backend, "ready"))
    until(other.has_it.is_set, "the other model, while one loads")
    assert names(pool) == {"ready"}
    other.end()
    assert pool.unload(a_variant(backend, "ready")) == 1
    assert not loader.has_it.is_set()
    gate.open.set()
    until(loader.has_it.is_set)
    loader.end()


def test_loads_take_turns_and_one_who_waits_for_a_turn_can_leave(add: Add) -> None:
    gate = Gate(only="slow")
    backend, pool = add(FakeBackend("fake", on_load=gate)), a_pool()
    first = Holder(pool, a_variant(backend, "slow"))
    until(gate.begun.is_set)
    second = Holder(pool, a_variant(backend, "next"))
    until(lambda: second.listener.heard("Another model is being loaded"))
    assert backend.loads == 1
    second.listener.cancel.cancel()
    second.join(PATIENCE)
    assert isinstance(second.error, Cancelled)
    gate.open.set()
    until(first.has_it.is_set)
    first.end()
    use(pool, a_variant(backend, "next"))
    assert names(pool) == {"slow", "next"}


def test_the_longest_unused_goes_first(add: Add) -> None:
    backend, pool = add(FakeBackend("fake")), a_pool(budget=10.0)
    for name in ("a", "b", "a"):
        use(pool, a_variant(backend, name, memory_gb=4.0))
    use(pool, a_variant(backend, "c", memory_gb=4.0))
    assert names(pool) == {"a", "c"}
    assert [m.closed for m in backend.models] == [0, 1, 0]
    assert [r.variant.repo_id for r in pool.residents()] == ["c", "a"]


def test_as_many_go_as_the_new_one_needs_and_no_more(add: Add) -> None:
    backend, pool = add(FakeBackend("fake")), a_pool(budget=10.0)
    for name in ("a", "b", "c"):
        use(pool, a_variant(backend, name, memory_gb=3.0))
    use(pool, a_variant(backend, "large", memory_gb=6.0))
    assert names(pool) == {"c", "large"}


@pytest.mark.parametrize(("new", "stays", "goes"), [("cuda", "cpu", "cuda"), ("cpu", "cuda", "cpu")])
def test_each_device_has_a_budget_of_its_own(add: Add, new: str, stays: str, goes: str) -> None:
    backend, pool = add(FakeBackend("fake")), a_pool(budget=8.0, machine=WITH_GPU)
    use(pool, a_variant(backend, stays, device=stays, memory_gb=6.0))  # the longest unused of all
    use(pool, a_variant(backend, goes, device=goes, memory_gb=6.0))
    use(pool, a_variant(backend, "new", device=new, memory_gb=6.0))
    assert names(pool) == {stays, "new"}


def test_a_model_that_takes_the_best_device_counts_there(add: Add) -> None:
    backend, pool = add(FakeBackend("fake")), a_pool(machine=WITH_GPU)
    use(pool, a_variant(backend, "a", memory_gb=6.0))
    use(pool, a_variant(backend, "b", device="cuda", memory_gb=6.0))
    assert names(pool) == {"b"}


def test_a_model_in_use_is_never_unloaded_for_another(add: Add) -> None:
    backend, pool = add(FakeBackend("fake")), a_pool(budget=10.0)
    holder = Holder(pool, a_variant(backend, "busy", memory_gb=6.0))
    until(holder.has_it.is_set)
    use(pool, a_variant(backend, "idle", memory_gb=3.0))
    with pytest.raises(OutOfMemory) as caught:
        use(pool, a_variant(backend, "large", memory_gb=6.0))
    assert caught.value.needed_gb == 6.0 and caught.value.free_gb == 4.0
    assert names(pool) == {"busy"}
    holder.end()
    use(pool, a_variant(backend, "large", memory_gb=6.0))
    assert names(pool) == {"large"}


def test_memory_that_others_took_is_not_counted_on(add: Add) -> None:
    backend = add(FakeBackend("fake"))
    pool = ModelPool(Settings(), SMALL, free_gb=lambda: 1.0)
    with pytest.raises(OutOfMemory, match=r"needs about 2.0 GB and 1.0 GB is free"):
        use(pool, a_variant(backend, memory_gb=2.0))
    assert backend.loads == 0


def test_a_card_that_others_use_gives_what_they_leave(add: Add) -> None:
    backend, left = add(FakeBackend("fake")), [3.0]
    pool = ModelPool(Settings(), WITH_GPU, free_gb=lambda: 100.0, free_on_card=lambda: left[0])
    use(pool, a_variant(backend, "a", device="cuda", memory_gb=2.0))
    left[0] = 1.0
    with pytest.raises(OutOfMemory, match=r"needs about 2.0 GB and 1.0 GB is free"):
        use(pool, a_variant(backend, "b", device="cuda", memory_gb=2.0))
    assert names(pool) == set() and [model.closed for model in backend.models] == [1]


def test_a_model_that_runs_in_pieces_gets_the_card_alone(add: Add) -> None:
    backend = add(FakeBackend("fake", offloads=True))
    ram = [100.0]
    pool = ModelPool(Settings(), WITH_GPU, free_gb=lambda: ram[0], free_on_card=lambda: 7.5)
    use(pool, a_variant(backend, "small", device="cuda", memory_gb=2.0))
    use(pool, a_variant(backend, "large", device="cuda", memory_gb=60.0, card_gb=33.0))
    assert names(pool) == {"large"}
    use(pool, a_variant(backend, "small", device="cuda", memory_gb=2.0))
    assert names(pool) == {"small"}
    use(pool, a_variant(backend, "whole by its size", device="cuda", memory_gb=14.0, card_gb=7.6))
    assert names(pool) == {"whole by its size"}
    ram[0] = 32.0
    with pytest.raises(OutOfMemory, match=r"needs about 33.0 GB"):
        use(pool, a_variant(backend, "large", device="cuda", memory_gb=60.0, card_gb=33.0))


def test_an_idle_model_is_unloaded_at_once(add: Add) -> None:
    backend, pool = add(FakeBackend("fake")), a_pool()
    use(pool, a_variant(backend, "a"))
    use(pool, a_variant(backend, "b"))
    assert pool.unload(a_variant(backend, "a")) == 1
    assert names(pool) == {"b"}
    assert [m.closed for m in backend.models] == [1, 0]
    assert pool.unload() == 1 and pool.unload() == 0


def test_a_model_in_use_that_is_to_be_unloaded_goes_when_its_last_run_ends(add: Add) -> None:
    backend, pool = add(FakeBackend("fake")), a_pool()
    first, second = (Holder(pool, a_variant(backend)) for _ in range(2))
    until(lambda: first.has_it.is_set() and second.has_it.is_set())
    assert pool.unload() == 0
    first.end()
    assert backend.models[0].closed == 0
    second.end()
    assert backend.models[0].closed == 1 and not pool.residents()


def test_a_model_that_is_unloaded_while_it_loads_goes_after_its_run(add: Add) -> None:
    gate = Gate()
    backend, pool = add(FakeBackend("fake", on_load=gate)), a_pool()
    holder = Holder(pool, a_variant(backend))
    until(gate.begun.is_set)
    assert pool.unload() == 0
    gate.open.set()
    until(holder.has_it.is_set)
    holder.end()
    assert backend.models[0].closed == 1 and not pool.residents()


def test_who_asks_for_a_model_that_is_to_go_gets_no_second_copy_beside_it(add: Add) -> None:
    backend, pool = add(FakeBackend("fake")), a_pool(budget=10.0)
    variant = a_variant(backend, memory_gb=6.0)
    first = Holder(pool, variant)
    until(first.has_it.is_set)
    pool.unload()
    second = Holder(pool, variant)
    until(lambda: second.has_it.is_set() or second.error)
    first.end()
    second.end()
    assert len(backend.models) == 1, "two copies of 6 GB in a budget of 10 GB"
    assert backend.models[0].closed == 1


@pytest.mark.parametrize("at_once", [1, 2])
def test_a_model_serves_as_many_at_once_as_it_can_and_the_next_waits(add: Add, at_once: int) -> None:
    backend, pool = add(FakeBackend("fake", concurrency=at_once)), a_pool()
    served = [Holder(pool, a_variant(backend)) for _ in range(at_once)]
    until(lambda: all(h.has_it.is_set() for h in served))
    late = Holder(pool, a_variant(backend))
    until(lambda: late.listener.heard("Waiting for another run"))
    assert not late.has_it.is_set()
    served[0].end()
    until(late.has_it.is_set)
    assert late.lease and late.lease.queue_seconds > 0
    for holder in (*served, late):
        holder.end()


def test_a_model_without_a_limit_serves_all_at_once(add: Add) -> None:
    backend, pool = add(FakeBackend("fake", concurrency=0)), a_pool()
    holders = [Holder(pool, a_variant(backend)) for _ in range(5)]
    until(lambda: all(h.has_it.is_set() for h in holders))
    for holder in holders:
        holder.end()


def test_one_who_waits_for_a_place_can_leave(add: Add) -> None:
    backend, pool = add(FakeBackend("fake", concurrency=1)), a_pool()
    first = Holder(pool, a_variant(backend))
    until(first.has_it.is_set)
    second = Holder(pool, a_variant(backend))
    until(lambda: second.listener.heard("Waiting for another run"))
    second.listener.cancel.cancel()
    second.join(PATIENCE)
    assert isinstance(second.error, Cancelled)
    assert [r.leases for r in pool.residents()] == [1]
    first.end()
    third = Holder(pool, a_variant(backend))
    until(third.has_it.is_set)
    third.end()


def test_a_run_that_breaks_gives_its_model_back(add: Add) -> None:
    backend, pool = add(FakeBackend("fake", concurrency=1)), a_pool()
    with pytest.raises(ZeroDivisionError), pool.lease(a_variant(backend), Settings(), Listener().emit):
        raise ZeroDivisionError
    assert use(pool, a_variant(backend)) is backend.models[0]


def test_a_hosted_client_is_made_for_one_run_and_closed_after_it(add: Add) -> None:
    backend, pool = add(FakeBackend("fake", hosted=True)), a_pool()
    with pytest.raises(ZeroDivisionError), pool.lease(a_variant(backend), Settings(), Listener().emit):
        assert backend.models[0].closed == 0
        raise ZeroDivisionError
    assert use(pool, a_variant(backend)) is not backend.models[0]
    assert [m.closed for m in backend.models] == [1, 1]
    assert not pool.residents()


def test_settings_that_differ_are_models_that_differ(add: Add) -> None:
    backend, pool = add(FakeBackend("fake")), a_pool()
    plain, adapted = a_variant(backend), a_variant(backend, options={"adapter": "x/y"})
    assert use(pool, plain) is not use(pool, adapted)
    assert use(pool, plain) is backend.models[0]
