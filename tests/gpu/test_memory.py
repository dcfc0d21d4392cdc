"""On a card: what a run takes is seen, what is closed is given back, and running out ends one run and nothing else."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from shared.engine import Engine
from shared.errors import OutOfMemory
from shared.machine import GIB, probe
from shared.memory import PeakMemory, cuda_gb, free_cuda_gb, give_back
from tests.support.drawing import FORCED, build, draw, engine_for, opened, picture, variant_for

pytestmark = FORCED
CARD = {"device": "cuda"}
SMALL = 0.02  # GiB: what cuBLAS and cuDNN keep to work in


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return build(tmp_path_factory.mktemp("tiny"), ("sd", "sdxl", "flux"))


def floats(*gib: float) -> list[Any]:
    import torch

    return [torch.empty(round(size * GIB), dtype=torch.uint8, device="cuda") for size in gib]


def test_a_moments_peak_is_seen_by_all_who_watch() -> None:
    with PeakMemory() as early, PeakMemory() as late:
        time.sleep(0.15)
        floats(2.0)  # for less than a millisecond
        time.sleep(0.25)
    with PeakMemory() as after:
        time.sleep(0.15)
    assert 1.9 < early.growth_gb < 2.6 and 1.9 < late.growth_gb < 2.6 and after.growth_gb < 0.5


def test_what_others_hold_on_the_card_is_not_counted_as_free() -> None:
    before = free_cuda_gb()
    assert before is not None
    held = floats(3.0)
    during = free_cuda_gb()
    assert during is not None and 2.9 < before - during < 3.2
    del held
    after = free_cuda_gb()
    assert after is not None and abs(before - after) < 0.2


@pytest.mark.parametrize("name", ["sd", "sdxl", "flux"])
def test_an_unloaded_model_leaves_nothing_on_the_card(made: dict[str, Path], tmp_path: Path, name: str) -> None:
    give_back()
    before, engine = cuda_gb(), engine_for(tmp_path, m=variant_for(made[name], **CARD))
    picture(engine, "m")
    engine.pool.unload()
    assert cuda_gb() - before < SMALL


@pytest.mark.parametrize("name", ["sd", "sdxl", "flux"])
def test_one_seed_is_one_picture_on_the_card_and_on_the_processor(
    made: dict[str, Path], tmp_path: Path, name: str
) -> None:
    ways = {device: variant_for(made[name], dtype="float32", device=device) for device in ("cpu", "cuda")}
    engine = engine_for(tmp_path, **ways)
    there, here = (opened(picture(engine, way)) for way in ways)
    assert abs(there - here).mean() < 1.0


def test_running_out_is_told_and_the_next_run_draws(made: dict[str, Path], tmp_path: Path) -> None:
    import torch

    engine = engine_for(tmp_path, m=variant_for(made["sd"], **CARD))
    first = picture(engine, "m")
    give_back()
    free, _ = torch.cuda.mem_get_info()
    held = torch.empty(free - 64 * 2**20, dtype=torch.uint8, device="cuda")
    try:
        with pytest.raises(OutOfMemory, match="Lower the width"):
            draw(engine, "m", width=1024, height=1024)
    finally:
        del held
        give_back()
    assert picture(engine, "m") == first


def test_a_second_model_takes_the_place_of_an_idle_one(made: dict[str, Path], tmp_path: Path) -> None:
    room = probe().cuda_gb
    engine: Engine = engine_for(
        tmp_path, **{name: variant_for(made[name], memory_gb=0.6 * room, **CARD) for name in ("sd", "sdxl")}
    )
    picture(engine, "sd")
    picture(engine, "sdxl")
    assert [Path(resident.variant.repo_id).name for resident in engine.pool.residents()] == ["sdxl"]
    engine.pool.unload()
