"""What can run here, best first, and in words why the rest can't."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from shared.catalog import ModelSpec, Variant
from shared.machine import Machine
from shared.placement import Plan, device_of, in_pieces, plan
from shared.tasks import Mode, Task
from tests.support.fakes import SMALL, WITH_GPU, FakeBackend

APPLE = Machine(system="Darwin", arch="arm64", cores=8, ram_gb=16.0, mps=True)


def ready(variant: Variant) -> None:
    """Every engine is ready."""


@pytest.fixture(autouse=True)
def engines(add: Callable[[FakeBackend], FakeBackend]) -> None:
    add(FakeBackend("here"))
    add(FakeBackend("cloud", hosted=True))


def here(**more: object) -> Variant:
    return Variant(backend="here", **more)  # type: ignore[arg-type]


def placed(*variants: Variant, machine: Machine = SMALL, **how: object) -> Plan:
    spec = {name: how.pop(name) for name in ("retired", "successor") if name in how}
    model = ModelSpec(id="m", name="M", task=Task.CHAT, license="MIT", variants=variants, **spec)  # type: ignore[arg-type]
    return plan(model, machine, how.pop("check", ready), **how)  # type: ignore[arg-type]


def only_reason(found: Plan) -> str:
    assert not found.candidates
    return found.refused[0].reason


def test_the_catalogues_order_is_kept() -> None:
    variants = here(repo_id="a"), Variant(backend="cloud"), here(repo_id="b")
    assert placed(*variants).candidates == variants


@pytest.mark.parametrize(("memory", "fits"), [(7.0, True), (7.1, False)])
def test_room_is_left_beside_a_model(memory: float, fits: bool) -> None:
    assert bool(placed(here(memory_gb=memory)).candidates) is fits


def test_too_large_a_model_is_told_with_both_sizes() -> None:
    assert only_reason(placed(here(memory_gb=30.0))) == (
        "It needs 30.0 GB of memory, and this machine has 7.0 GB for it."
    )
    assert only_reason(placed(here(memory_gb=30.0), machine=WITH_GPU)) == (
        "It needs 30.0 GB of GPU memory, and this machine has 8.0 GB for it."
    )


@pytest.mark.parametrize(("card", "memory", "fits"), [(0.0, 9.0, False), (8.0, 30.0, True), (8.1, 1.0, False)])
def test_a_gpu_may_take_less_of_a_model_than_a_processor(card: float, memory: float, fits: bool) -> None:
    assert bool(placed(here(card_gb=card, memory_gb=memory), machine=WITH_GPU).candidates) is fits
    assert not placed(here(card_gb=card, memory_gb=memory + 7.0)).candidates


def test_a_model_larger_than_the_gpu_runs_in_pieces_where_memory_holds_it() -> None:
    large = Variant(backend="diffusers", memory_gb=60.0, card_gb=33.0)
    roomy = replace(WITH_GPU, ram_gb=34.0)
    assert placed(large, machine=roomy).candidates == (large,) and in_pieces(large, roomy)
    assert "more than the GPU's 8.0 GB, and than the 32.9 GB of memory" in only_reason(
        placed(large, machine=replace(WITH_GPU, ram_gb=33.9))
    )
    small = replace(roomy, cuda_gb=3.9)
    assert only_reason(placed(large, machine=small)).startswith("It needs 33.0 GB of GPU memory")
    assert not in_pieces(replace(large, card_gb=7.0), roomy) and not in_pieces(large, replace(roomy, cuda_gb=0.0))
    assert not in_pieces(replace(large, backend="here"), roomy)


def test_a_model_on_the_processor_may_use_all_main_memory_beside_a_small_card() -> None:
    assert placed(here(memory_gb=30.0, device="cpu"), machine=WITH_GPU).candidates


@pytest.mark.parametrize(("device", "words"), [("cuda", "NVIDIA GPU"), ("mps", "Apple GPU")])
def test_a_missing_gpu_is_told(device: str, words: str) -> None:
    assert words in only_reason(placed(here(device=device)))


def test_a_hosted_model_needs_no_memory_here() -> None:
    assert placed(Variant(backend="cloud", memory_gb=999.0)).candidates


def test_what_an_engine_lacks_is_its_reason_and_others_still_run() -> None:
    found = placed(here(repo_id="a"), here(repo_id="b"), check=lambda v: "Install it." if v.repo_id == "a" else None)
    assert [v.repo_id for v in found.candidates] == ["b"]
    assert [(r.variant.repo_id, r.reason) for r in found.refused] == [("a", "Install it.")]


def test_a_model_that_does_not_fit_is_not_asked_for_its_packages() -> None:
    assert "memory" in only_reason(placed(here(memory_gb=99.0), check=lambda v: "Install 3 GB of packages."))


def test_a_retired_model_runs_nowhere_and_names_its_successor() -> None:
    reason = only_reason(placed(Variant(backend="cloud"), retired=True, successor="m2"))
    assert reason == "M was retired by its provider. Use m2 instead."


def test_a_chosen_kind_leaves_the_others_out_altogether() -> None:
    full, small, cloud = here(repo_id="a"), here(repo_id="a", quantization="int4"), Variant(backend="cloud")
    for mode, variant in ((Mode.LOCAL, full), (Mode.QUANTIZED, small), (Mode.HOSTED, cloud)):
        assert placed(full, small, cloud, mode=mode) == Plan((variant,), ())


def test_a_chosen_variant_leaves_the_others_out_altogether() -> None:
    first, second = here(repo_id="a"), here(repo_id="b", memory_gb=99.0)
    assert placed(first, second, variant=first.key) == Plan((first,), ())
    found = placed(first, second, variant=second.key)
    assert not found.candidates and [r.variant for r in found.refused] == [second]


@pytest.mark.parametrize(
    ("machine", "device", "used"),
    [(SMALL, "auto", "cpu"), (WITH_GPU, "auto", "cuda"), (APPLE, "auto", "mps"), (WITH_GPU, "cpu", "cpu")],
)
def test_the_device_is_the_variants_own_or_the_machines_best(machine: Machine, device: str, used: str) -> None:
    assert device_of(here(device=device), machine) == used
