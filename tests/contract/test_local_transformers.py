"""The transformers engine keeps the contract, shown on tiny random models of each family it claims."""

from __future__ import annotations

import dataclasses
import io
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shared.backends import get_backend
from shared.catalog import Catalog, ModelSpec, Variant
from shared.engine import Engine
from shared.errors import (
    BackendError,
    ContextOverflow,
    CorruptWeights,
    InvalidRequest,
    NoBackendAvailable,
    OutOfMemory,
    UnknownModel,
)
from shared.events import Final, Partial
from shared.memory import give_back, rss_gb
from shared.requests import ChatRequest, ImagePart, Message
from shared.settings import Settings
from shared.streaming import CancelToken, Emitter
from shared.tasks import Task
from tests.support import contract, tiny_models
from tests.support.device import DEVICE

NAMES = [*tiny_models.FAMILIES, "llava"]


def variant_for(path: Path, **more: object) -> Variant:
    return Variant(**{"backend": "transformers", "repo_id": str(path), "dtype": "float32", "device": DEVICE, **more})  # type: ignore[arg-type]


def spec_for(name: str, variant: Variant) -> ModelSpec:
    return ModelSpec(id=name, name=name, task=Task.CHAT, license="none", variants=(variant,))


def ask(text: str = "Once upon a time", **more: object) -> ChatRequest:
    return ChatRequest(**{"messages": (Message("user", text),), "max_tokens": 16, **more})  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    import torch

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("tiny")
    made = {name: make(folder / name) for name, make in {**tiny_models.FAMILIES, "llava": tiny_models.llava}.items()}
    return made | {"adapter": tiny_models.lora(folder / "adapter", made["llama"])}


@pytest.fixture
def tiny(models: dict[str, Path], tmp_path: Path) -> Iterator[Engine]:
    specs = [spec_for(name, variant_for(models[name])) for name in NAMES]
    specs.append(spec_for("adapted", variant_for(models["llama"], options={"adapter": str(models["adapter"])})))
    specs.append(spec_for("int8", variant_for(models["llama"], quantization="int8")))
    engine = Engine(Catalog(specs), Settings(data_dir=tmp_path))
    yield engine
    engine.pool.unload()


def run(engine: Engine, model: str = "llama", **more: object) -> Final:
    *_, final = engine.generate(model, ask(**more))  # type: ignore[arg-type]
    assert isinstance(final, Final)
    return final


@pytest.mark.parametrize("name", [*NAMES, "adapted", "int8"])
def test_every_family_answers_in_exactly_one_final(tiny: Engine, name: str) -> None:
    final = contract.ends_in_one_final(contract.Case(tiny, name, ask(temperature=1.0, seed=7)))
    assert final.receipt.backend == "transformers" and final.receipt.device == DEVICE
    assert {"torch", "transformers"} <= set(final.receipt.versions)
    assert final.receipt.quantization == ("int8" if name == "int8" else None)
    assert 0 < (final.receipt.output_tokens or 0) <= 16 and final.receipt.input_tokens


@pytest.mark.parametrize("name", NAMES)
def test_one_seed_is_one_answer_and_another_seed_another(tiny: Engine, name: str) -> None:
    first = run(tiny, name, temperature=1.5, seed=11).output.text
    assert run(tiny, name, temperature=1.5, seed=11).output.text == first
    assert run(tiny, name, temperature=1.5, seed=12).output.text != first


def test_a_seed_holds_while_another_model_draws_at_the_same_time(tiny: Engine) -> None:
    alone = run(tiny, "llama", temperature=1.5, seed=5, max_tokens=60).output.text
    other = threading.Thread(target=run, args=(tiny, "mixtral"), kwargs={"temperature": 1.5, "max_tokens": 100})
    other.start()
    together = run(tiny, "llama", temperature=1.5, seed=5, max_tokens=60).output.text
    other.join()
    assert together == alone


def test_events_pickle(tiny: Engine) -> None:
    contract.events_pickle(contract.Case(tiny, "llama", ask(seed=1, top_logprobs=3)))


def test_a_schema_and_a_grammar_stand_as_unhonoured(tiny: Engine) -> None:
    asked = ask(response_format={"type": "json_object"}, reasoning_effort="low")
    contract.unhonoured_stand_in_the_receipt(
        contract.Case(tiny, "llama", ask()), asked, "response_format", "reasoning_effort"
    )


def test_log_probabilities_are_the_models_own_and_alternatives_are_in_order(tiny: Engine) -> None:
    output = run(tiny, temperature=0.0, top_logprobs=4, max_tokens=6).output
    assert len(output.tokens) == 6
    for token in output.tokens:
        logprobs = [a.logprob for a in token.alternatives]
        assert len(logprobs) == 4 and logprobs == sorted(logprobs, reverse=True) and logprobs[0] <= 0
        assert token.logprob == logprobs[0]  # temperature 0 takes the likeliest
        assert token.text == token.alternatives[0].text


def test_temperature_does_not_change_the_log_probabilities(tiny: Engine) -> None:
    cold = run(tiny, temperature=0.0, top_logprobs=1, max_tokens=1).output.tokens[0].alternatives
    warm = run(tiny, temperature=1.9, top_logprobs=1, max_tokens=1).output.tokens[0].alternatives
    assert cold[0].logprob == pytest.approx(warm[0].logprob, abs=1e-6)


def test_top_k_of_one_is_the_likeliest_token(tiny: Engine) -> None:
    greedy = run(tiny, temperature=0.0).output.text
    assert run(tiny, temperature=2.0, top_k=1, seed=3).output.text == greedy
    assert run(tiny, temperature=2.0, top_p=0.0, seed=3).output.text == greedy


def test_the_repetition_penalty_changes_a_greedy_answer(tiny: Engine) -> None:
    plain = run(tiny, temperature=0.0, max_tokens=40).output.text
    assert run(tiny, temperature=0.0, max_tokens=40, repetition_penalty=1.9).output.text != plain


def test_a_prefill_is_continued_as_the_model_itself_would(tiny: Engine, models: dict[str, Path]) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    reader = AutoTokenizer.from_pretrained(models["llama"])
    prompt = "<|user|>Once upon a time</s><|assistant|>The quick brown"
    ids = reader(prompt, return_tensors="pt", add_special_tokens=False).input_ids
    model = AutoModelForCausalLM.from_pretrained(models["llama"])
    said = model.generate(ids, max_new_tokens=12, do_sample=False)[0, ids.shape[1] :]
    final = run(tiny, temperature=0.0, max_tokens=12, prefill="The quick brown")
    assert final.output.text == reader.decode(said, skip_special_tokens=True)
    assert final.receipt.input_tokens == ids.shape[1]


def test_a_stop_string_ends_the_answer_before_it(tiny: Engine) -> None:
    whole = run(tiny, temperature=1.5, seed=9, max_tokens=40).output.text
    stop = whole[6:8]
    cut = run(tiny, temperature=1.5, seed=9, max_tokens=40, stop=(stop,))
    assert cut.output.text == whole[: whole.index(stop)]
    assert cut.output.finish_reason == "stop"


def test_max_tokens_ends_it_for_length(tiny: Engine) -> None:
    final = run(tiny, temperature=0.0, max_tokens=3)
    assert final.receipt.output_tokens == 3 and final.output.finish_reason == "length"


def test_pieces_come_one_a_token(tiny: Engine) -> None:
    events = list(tiny.generate("llama", ask(temperature=1.5, seed=2)))
    final = events[-1]
    assert isinstance(final, Final)
    pieces = [e for e in events if isinstance(e, Partial)]
    assert abs(len(pieces) - (final.receipt.output_tokens or 0)) <= 1  # and one for what was held back


@pytest.mark.parametrize("name", NAMES)
def test_the_stop_switch_ends_it_soon_and_lets_the_lease_go(tiny: Engine, name: str) -> None:
    run(tiny, name, max_tokens=1)  # loaded before, so that the stop meets the run
    asked = ask(temperature=1.5, seed=1, max_tokens=200)
    final = _stopped_at_first_piece(contract.Case(tiny, name, asked))
    assert final.output.finish_reason == "stopped"
    assert (final.receipt.output_tokens or 0) < 100
    contract.no_lease_is_left(tiny)
    run(tiny, name, max_tokens=2)  # and it still answers


def _stopped_at_first_piece(case: contract.Case) -> Final:
    token = CancelToken()
    for event in case.engine.generate(case.model, case.request, cancel=token):
        if isinstance(event, Partial):
            token.cancel()
        if isinstance(event, Final):
            return event
    raise AssertionError("the run ended without a Final")


def test_closing_the_iterator_lets_the_lease_go(tiny: Engine) -> None:
    events = tiny.generate("llama", ask(temperature=1.5, seed=1, max_tokens=200))
    while not isinstance(next(events), Partial):
        pass
    events.close()  # type: ignore[attr-defined]
    contract.no_lease_is_left(tiny)


def test_two_people_at_once_load_the_model_once(tiny: Engine) -> None:
    finals: list[Final] = []
    threads = [threading.Thread(target=lambda: finals.append(run(tiny, seed=1, temperature=1.0))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({f.output.text for f in finals}) == 1 and len(finals) == 3
    assert sum(f.receipt.seconds.load > 0 for f in finals) == 1
    assert len(tiny.pool.residents()) == 1


def test_an_adapter_changes_what_the_model_says(tiny: Engine) -> None:
    assert run(tiny, "adapted", temperature=0.0).output.text != run(tiny, "llama", temperature=0.0).output.text


def test_an_adapter_in_pickle_is_refused(models: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text((models["adapter"] / "adapter_config.json").read_text())
    (tmp_path / "adapter_model.bin").write_bytes(b"\x80\x04.")
    variant = variant_for(models["llama"], options={"adapter": str(tmp_path)})
    with pytest.raises(CorruptWeights, match="pickle"):
        list(Engine(Catalog([spec_for("m", variant)]), Settings(data_dir=tmp_path)).generate("m", ask()))


def _picture(color: str) -> ImagePart:
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (40, 30), color).save(file, "PNG")
    return ImagePart(file.getvalue(), "image/png")


def test_a_picture_is_seen(tiny: Engine) -> None:
    def answer(color: str) -> str:
        request = ask(temperature=0.0, top_logprobs=1)
        seeing = dataclasses.replace(request, messages=(Message("user", "What is it?", (_picture(color),)),))
        *_, final = tiny.generate("llava", seeing)
        assert isinstance(final, Final)
        return str(final.output.tokens)

    assert answer("red") == answer("red") != answer("white")


def test_a_picture_is_refused_by_a_model_that_reads_text(tiny: Engine) -> None:
    message = Message("user", "What is it?", (_picture("red"),))
    with pytest.raises(InvalidRequest, match="reads text only"):
        list(tiny.generate("llama", dataclasses.replace(ask(), messages=(message,))))


def test_a_broken_picture_is_told(tiny: Engine) -> None:
    message = Message("user", "What is it?", (ImagePart(b"not a picture", "image/png"),))
    with pytest.raises(InvalidRequest, match="could not be read"):
        list(tiny.generate("llava", dataclasses.replace(ask(), messages=(message,))))


def test_the_prompt_is_counted_exactly(tiny: Engine, models: dict[str, Path]) -> None:
    model = get_backend("transformers").load(variant_for(models["llama"]), tiny.settings, Emitter(lambda _: None))
    request = ask("The quick brown fox", system="Be brief.")
    assert model.count_tokens(request) == run(tiny, text="The quick brown fox", system="Be brief.").receipt.input_tokens
    model.close()


def test_a_conversation_beyond_the_context_is_told_or_trimmed(tiny: Engine) -> None:
    turns = tuple(Message(("user", "assistant")[i % 2], "words to learn from " * 6) for i in range(21))  # type: ignore[arg-type]
    long = dataclasses.replace(ask(), messages=turns)
    with pytest.raises(ContextOverflow) as caught:
        list(tiny.generate("llama", long))
    assert caught.value.limit == 256 and not caught.value.estimated
    *_, final = tiny.generate("llama", dataclasses.replace(long, overflow="trim"))
    assert isinstance(final, Final) and "oldest messages" in final.receipt.notes[0]


def test_weights_in_pickle_are_refused(models: dict[str, Path], tmp_path: Path, tiny: Engine) -> None:
    for file in models["llama"].glob("*.json"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(CorruptWeights, match="pickle"):
        list(
            tiny.generate(
                str(tmp_path), ask(), mode=None, variant=variant_for(tmp_path, dtype="auto", device="auto").key
            )
        )


@pytest.mark.parametrize("damage", [lambda b: b[:-100], lambda b: b[:4], lambda b: b"\xff" * 8 + b[8:]])
def test_broken_safetensors_are_told(
    models: dict[str, Path], tmp_path: Path, tiny: Engine, damage: Callable[[bytes], bytes]
) -> None:
    folder = tmp_path / "broken"
    folder.mkdir()
    for file in models["llama"].iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    weights = folder / "model.safetensors"
    weights.write_bytes(damage(weights.read_bytes()))
    with pytest.raises(CorruptWeights, match="Download"):
        list(tiny.generate(str(folder), ask(), variant=variant_for(folder, dtype="auto", device="auto").key))


def test_weights_that_are_not_all_there_are_told(models: dict[str, Path], tmp_path: Path, tiny: Engine) -> None:
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "partial"
    folder.mkdir()
    for file in models["llama"].iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    weights = load_file(folder / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CorruptWeights, match="lacks some"):
        list(tiny.generate(str(folder), ask(), variant=variant_for(folder, dtype="auto", device="auto").key))


def test_a_small_model_runs_in_float32_on_a_processor(models: dict[str, Path], tmp_path: Path) -> None:
    spec = spec_for("m", variant_for(models["llama"], dtype="auto", device="cpu"))
    *_, final = Engine(Catalog([spec]), Settings(data_dir=tmp_path)).generate("m", ask())
    assert isinstance(final, Final) and final.receipt.dtype == "float32"


def test_a_model_that_brings_its_own_code_is_refused(models: dict[str, Path], tmp_path: Path, tiny: Engine) -> None:
    folder = tmp_path / "coded"
    folder.mkdir()
    for file in models["llama"].iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    ran = tmp_path / "ran"
    (folder / "own.py").write_text(f"open({str(ran)!r}, 'w')\n")
    tiny_models.edit_json(
        folder / "config.json", model_type="own", auto_map={"AutoConfig": "own.C", "AutoModelForCausalLM": "own.M"}
    )
    with pytest.raises(BackendError, match="code of its own"):
        list(tiny.generate(str(folder), ask(), variant=variant_for(folder, dtype="auto", device="auto").key))
    assert not ran.exists()


def test_a_folder_that_is_none_is_told(tiny: Engine, tmp_path: Path) -> None:
    missing = tmp_path / "nothing-here"
    with pytest.raises(UnknownModel, match="no folder"):
        list(tiny.generate(str(missing), ask(), variant=variant_for(missing, dtype="auto", device="auto").key))


def test_four_bits_without_the_package_are_refused_with_the_command(models: dict[str, Path], tmp_path: Path) -> None:
    from importlib.util import find_spec

    if find_spec("bitsandbytes"):
        pytest.skip("bitsandbytes is installed here")
    spec = spec_for("four", variant_for(models["llama"], quantization="4-bit"))
    with pytest.raises(NoBackendAvailable, match="pip install bitsandbytes"):
        list(Engine(Catalog([spec]), Settings(data_dir=tmp_path)).generate("four", ask()))


def test_memory_comes_back_and_closing_twice_is_fine(models: dict[str, Path], tmp_path: Path) -> None:
    backend, settings = get_backend("transformers"), Settings(data_dir=tmp_path)

    def once() -> None:
        model = backend.load(variant_for(models["llama"]), settings, Emitter(lambda _: None))
        model.run(ask(temperature=1.0, seed=1), Emitter(lambda _: None))
        model.close()
        model.close()
        give_back()

    for _ in range(3):
        once()
    before = rss_gb()
    for _ in range(10):
        once()
    assert rss_gb() - before < 0.02


def test_a_run_that_fills_the_memory_leaves_the_model_usable(models: dict[str, Path], tmp_path: Path) -> None:
    from transformers import PreTrainedModel

    model = get_backend("transformers").load(variant_for(models["llama"]), Settings(), Emitter(lambda _: None))
    inner: PreTrainedModel = model._model  # type: ignore[attr-defined]
    handle = inner.register_forward_pre_hook(_allocate_too_much)
    with pytest.raises(OutOfMemory, match="Shorten"):
        model.run(ask(), Emitter(lambda _: None))
    handle.remove()
    assert model.run(ask(seed=1, temperature=1.0), Emitter(lambda _: None)).output.text
    model.close()


def _allocate_too_much(*_: object) -> None:
    import torch

    torch.empty(1 << 60, dtype=torch.uint8)  # what a prompt far too long asks of the allocator


def test_importing_it_loads_nothing_heavy() -> None:
    contract.import_is_light("transformers")


def test_stopping_is_prompt(tiny: Engine) -> None:
    """From the press of the switch to the end, on a model that makes hundreds of tokens a second."""
    run(tiny, max_tokens=1)
    pressed, token = 0.0, CancelToken()
    for event in tiny.generate("llama", ask(temperature=1.5, seed=1, max_tokens=200), cancel=token):
        if isinstance(event, Partial) and not pressed:
            pressed = time.monotonic()
            token.cancel()
    assert time.monotonic() - pressed < 2.0
