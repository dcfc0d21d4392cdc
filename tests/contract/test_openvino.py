"""The OpenVINO engine keeps the contract, and its exports say what the original models say."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.backends import get_backend
from shared.catalog import Catalog, ModelSpec, Variant
from shared.engine import Engine
from shared.errors import BackendError, NoBackendAvailable
from shared.events import Final, Partial, Progress
from shared.memory import give_back, rss_gb
from shared.requests import ChatRequest, Message
from shared.settings import Settings
from shared.streaming import CancelToken, Emitter
from shared.tasks import Mode, Task
from tests.support import contract, tiny_models

KINDS = {"float32": None, "int8": "int8", "int4": "int4"}


def variant_for(path: Path, **more: object) -> Variant:
    return Variant(**{"backend": "openvino", "repo_id": str(path), "device": "cpu", **more})  # type: ignore[arg-type]


def spec_for(name: str, *variants: Variant) -> ModelSpec:
    return ModelSpec(id=name, name=name, task=Task.CHAT, license="none", variants=variants)


def ask(text: str = "Once upon a time", **more: object) -> ChatRequest:
    return ChatRequest(**{"messages": (Message("user", text),), "max_tokens": 16, **more})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    import torch

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("tiny")
    made = {name: make(folder / name) for name, make in tiny_models.FAMILIES.items()}
    made |= {
        name: make(folder / name) for name, make in {"qwen3": tiny_models.qwen3, "gemma3": tiny_models.gemma3}.items()
    }
    return made | {"adapter": tiny_models.lora(folder / "adapter", made["llama"])}


@pytest.fixture(scope="module")
def tiny(models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    specs = [spec_for(name, variant_for(models["llama"], quantization=kind)) for name, kind in KINDS.items()]
    specs += [spec_for(name, variant_for(path)) for name, path in models.items() if name != "adapter"]
    specs.append(spec_for("torch", Variant(backend="transformers", repo_id=str(models["llama"]), dtype="float32")))
    specs.append(spec_for("adapted", variant_for(models["llama"], options={"adapter": str(models["adapter"])})))
    engine = Engine(Catalog(specs), Settings(data_dir=tmp_path_factory.mktemp("data")))
    yield engine
    engine.pool.unload()


def run(engine: Engine, model: str, **more: object) -> Final:
    *_, final = engine.generate(model, ask(**more))  # type: ignore[arg-type]
    assert isinstance(final, Final)
    return final


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_answers_in_exactly_one_final(tiny: Engine, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    case = contract.Case(tiny, name, ask(temperature=1.0, seed=7))
    receipt = contract.ends_in_one_final(case).receipt
    assert receipt.backend == "openvino" and receipt.quantization == KINDS[name]
    assert receipt.mode == (Mode.QUANTIZED if KINDS[name] else Mode.LOCAL)
    assert {"openvino", "transformers"} <= set(receipt.versions)
    contract.events_pickle(case)
    assert capfd.readouterr().out == "", "an export writes nothing on the console"


def test_the_export_says_what_the_original_says(tiny: Engine) -> None:
    theirs = run(tiny, "torch", temperature=0.0, max_tokens=60, top_logprobs=3).output
    ours = run(tiny, "float32", temperature=0.0, max_tokens=60, top_logprobs=3).output
    assert ours.text == theirs.text
    pairs = zip(ours.tokens, theirs.tokens, strict=True)
    assert all(mine.logprob == pytest.approx(other.logprob, abs=1e-3) for mine, other in pairs)


def test_int8_stays_near_the_original(tiny: Engine) -> None:
    theirs = run(tiny, "torch", temperature=0.0, max_tokens=1, top_logprobs=20).output.tokens[0]
    ours = run(tiny, "int8", temperature=0.0, max_tokens=1, top_logprobs=20).output.tokens[0]
    shared = {a.text for a in ours.alternatives} & {a.text for a in theirs.alternatives}
    assert len(shared) >= 8  # of 640 tokens; by chance it would be one


@pytest.mark.parametrize("name", ["qwen3", "gemma3"])
def test_a_family_answers_as_the_original(tiny: Engine, models: dict[str, Path], name: str) -> None:
    original = spec_for("o", Variant(backend="transformers", repo_id=str(models[name]), dtype="float32"))
    *_, theirs = Engine(Catalog([original]), tiny.settings).generate("o", ask(temperature=0.0, max_tokens=40))
    assert isinstance(theirs, Final)
    ours = run(tiny, name, temperature=0.0, max_tokens=40)
    assert ours.output.text == theirs.output.text


@pytest.mark.parametrize("name", ["mamba", "t5", "mixtral"])
def test_a_family_that_can_not_be_traced_is_refused_with_a_way_out(tiny: Engine, name: str) -> None:
    with pytest.raises(BackendError, match=r"transformers or llama\.cpp"):
        run(tiny, name)
    assert logging.getLogger().isEnabledFor(logging.WARNING)  # the server's own warnings are still heard


def test_one_seed_is_one_answer_and_another_seed_another(tiny: Engine) -> None:
    first = run(tiny, "int8", temperature=1.5, seed=11).output.text
    assert run(tiny, "int8", temperature=1.5, seed=11).output.text == first
    assert run(tiny, "int8", temperature=1.5, seed=12).output.text != first


def test_one_answer_leaves_nothing_behind_for_the_next(tiny: Engine) -> None:
    alone = run(tiny, "int8", temperature=0.0).output.text
    run(tiny, "int8", text="Something else that fills the cache", temperature=0.0, max_tokens=50)
    assert run(tiny, "int8", temperature=0.0).output.text == alone


def test_a_prompt_read_in_pieces_is_the_same_prompt(tiny: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    from shared.backends.local import openvino_decoder

    whole = run(tiny, "float32", text="words to learn " * 8, temperature=0.0).output.text
    monkeypatch.setattr(openvino_decoder, "CHUNK", 7)
    assert run(tiny, "float32", text="words to learn " * 8, temperature=0.0).output.text == whole


def test_stopping_ends_it_and_it_still_answers(tiny: Engine) -> None:
    before, token, count = run(tiny, "int8", temperature=0.0).output.text, CancelToken(), 0
    for event in tiny.generate("int8", ask(temperature=1.5, seed=1, max_tokens=200), cancel=token):
        count += isinstance(event, Partial)
        if count == 1:
            token.cancel()
    assert isinstance(event, Final) and event.output.finish_reason == "stopped"
    contract.no_lease_is_left(tiny)
    assert run(tiny, "int8", temperature=0.0).output.text == before


def test_the_export_is_made_once_however_many_ask(models: dict[str, Path], tmp_path: Path) -> None:
    spec = spec_for("m", variant_for(models["llama"], quantization="int8"))

    def messages() -> list[str]:
        events = Engine(Catalog([spec]), Settings(data_dir=tmp_path)).generate("m", ask(temperature=0.0))
        return [event.message for event in events if isinstance(event, Progress)]

    assert any("Exporting" in message for message in messages())
    assert not any("Exporting" in message for message in messages())
    assert not list(tmp_path.rglob("unfinished-*"))


def test_changed_weights_are_exported_anew(tmp_path: Path) -> None:
    import torch

    def answer() -> str:
        spec = spec_for("m", variant_for(tmp_path / "model"))
        *_, final = Engine(Catalog([spec]), Settings(data_dir=tmp_path)).generate("m", ask(temperature=0.0))
        assert isinstance(final, Final)
        return str(final.output.text)

    torch.manual_seed(1)
    tiny_models.llama(tmp_path / "model")
    first = answer()
    torch.manual_seed(2)
    tiny_models.llama(tmp_path / "model")
    assert answer() != first


def test_an_adapter_is_part_of_the_export(tiny: Engine) -> None:
    assert run(tiny, "adapted", temperature=0.0).output.text != run(tiny, "float32", temperature=0.0).output.text


def test_two_models_answer_at_once(tiny: Engine) -> None:
    alone = run(tiny, "int8", temperature=1.5, seed=5, max_tokens=60).output.text
    other = threading.Thread(target=run, args=(tiny, "float32"), kwargs={"temperature": 1.5, "max_tokens": 100})
    other.start()
    together = run(tiny, "int8", temperature=1.5, seed=5, max_tokens=60).output.text
    other.join()
    assert together == alone


@pytest.mark.parametrize(("more", "reason"), [({"quantization": "q5"}, "int8 or int4"), ({"device": "mps"}, "Apple")])
def test_what_it_does_not_have_is_refused_with_a_reason(
    models: dict[str, Path], tmp_path: Path, more: dict[str, str], reason: str
) -> None:
    spec = spec_for("m", variant_for(models["llama"], **more))
    with pytest.raises(NoBackendAvailable, match=reason):
        list(Engine(Catalog([spec]), Settings(data_dir=tmp_path)).generate("m", ask()))


def test_its_telemetry_is_never_loaded(tiny: Engine) -> None:
    run(tiny, "int8")
    assert sys.modules.get("openvino_telemetry") is None


def test_memory_comes_back_and_closing_twice_is_fine(tiny: Engine, models: dict[str, Path]) -> None:
    backend, variant = get_backend("openvino"), variant_for(models["llama"], quantization="int8")

    def once() -> None:
        model = backend.load(variant, tiny.settings, Emitter(lambda _: None))
        model.run(ask(temperature=1.0, seed=1), Emitter(lambda _: None))
        model.close()
        model.close()
        give_back()

    for _ in range(3):
        once()
    before = rss_gb()
    for _ in range(10):
        once()
    assert rss_gb() - before < 0.03


def test_importing_it_loads_nothing_heavy() -> None:
    contract.import_is_light("openvino")
