"""On a card: transformers in bf16, and in eight and four bits by bitsandbytes."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from shared.catalog import Catalog, ModelSpec, Variant
from shared.engine import Engine
from shared.events import Final
from shared.memory import cuda_gb, give_back
from shared.requests import ChatRequest, Message
from shared.settings import Settings
from shared.tasks import Task
from tests.support import tiny_models

needs_bitsandbytes = pytest.mark.skipif(
    importlib.util.find_spec("bitsandbytes") is None, reason="bitsandbytes isn't installed: pip install bitsandbytes"
)


def engine_of(data: Path, **variants: Variant) -> Engine:
    specs = [
        ModelSpec(id=name, name=name, task=Task.CHAT, license="none", variants=(variant,))
        for name, variant in variants.items()
    ]
    return Engine(Catalog(specs), Settings(data_dir=data))


def answer(engine: Engine, model: str, **more: object) -> Final:
    asked = ChatRequest(messages=(Message("user", "Once upon a time"),), max_tokens=24, **more)  # type: ignore[arg-type]
    *_, final = engine.generate(model, asked)
    assert isinstance(final, Final)
    return final


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch

    torch.manual_seed(0)
    return tiny_models.FAMILIES["llama"](tmp_path_factory.mktemp("llama"))


@pytest.mark.parametrize(
    "quantization",
    [None, pytest.param("8-bit", marks=needs_bitsandbytes), pytest.param("nf4", marks=needs_bitsandbytes)],
)
@pytest.mark.filterwarnings("ignore:MatMul8bitLt")  # it says that it casts bf16 to fp16, as it should
def test_it_answers_alike_for_one_seed_and_gives_its_memory_back(
    llama: Path, tmp_path: Path, quantization: str | None
) -> None:
    give_back()
    before = cuda_gb()
    engine = engine_of(tmp_path, m=Variant(backend="transformers", repo_id=str(llama), quantization=quantization))
    first, again = (answer(engine, "m", temperature=1.0, seed=3) for _ in range(2))
    receipt = first.receipt
    assert (receipt.device, receipt.dtype, receipt.quantization) == ("cuda", "bfloat16", quantization)
    assert first.output.text and first.output.text == again.output.text
    engine.pool.unload()
    assert cuda_gb() - before < 0.05


def test_the_card_and_the_processor_choose_the_same_tokens(llama: Path, tmp_path: Path) -> None:
    ways = {
        device: Variant(backend="transformers", repo_id=str(llama), dtype="float32", device=device)
        for device in ("cpu", "cuda")
    }
    engine = engine_of(tmp_path, **ways)
    there, here = (answer(engine, way, temperature=0.0).output.text for way in ways)
    assert there == here
