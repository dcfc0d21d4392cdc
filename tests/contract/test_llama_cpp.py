"""The llama.cpp engine keeps the contract that every engine keeps, shown on the starter model."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from shared.engine import Engine
from shared.errors import ContextOverflow, InvalidRequest, NoBackendAvailable, UnknownModel
from shared.events import Final, Partial
from shared.requests import ChatRequest, ImagePart, Message
from shared.streaming import CancelToken
from shared.tasks import Mode

MODEL = "smollm2-135m"


def ask(text: str, **more: object) -> ChatRequest:
    return ChatRequest(**{"messages": (Message("user", text),), "max_tokens": 24, **more})  # type: ignore[arg-type]


def test_a_run_ends_in_one_final_with_an_honest_receipt(engine: Engine) -> None:
    events = list(engine.generate(MODEL, ask("Say hello.", reasoning_effort="low"), mode=Mode.QUANTIZED))
    finals = [e for e in events if isinstance(e, Final)]
    assert len(finals) == 1 and events[-1] is finals[0]
    final = finals[0]
    assert final.output.text == "".join(e.text for e in events if isinstance(e, Partial))
    assert final.receipt.starter and final.receipt.quantization == "Q8_0"
    assert final.receipt.cost_usd is None and final.receipt.cost_note
    assert "reasoning_effort" in final.receipt.unhonoured
    assert final.receipt.memory_gb and final.receipt.memory_gb > 0.05
    assert pickle.loads(pickle.dumps(events)) == events


def test_the_packaged_form_runs_where_the_faster_twin_cannot_be_kept(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    nowhere = Engine(engine.catalog, replace(engine.settings, data_dir=tmp_path / "file"))
    *_, final = nowhere.generate(MODEL, ask("Say hello."), mode=Mode.QUANTIZED)
    nowhere.pool.unload()
    assert final.output.text and final.receipt.quantization == "Q4_1"


def test_the_twin_says_what_the_packaged_form_says(engine: Engine) -> None:
    """Same numbers in another form: the likeliest first tokens and their probabilities hardly differ."""
    first = {}
    for variant in engine.find(MODEL).variants[:2]:
        *_, final = engine.generate(MODEL, ask("Name a colour.", top_logprobs=5, max_tokens=1), variant=variant.key)
        first[variant.quantization] = {a.text: a.logprob for a in final.output.tokens[0].alternatives}
    packaged, twin = first["Q4_1"], first["Q8_0"]
    shared = packaged.keys() & twin.keys()
    assert len(shared) >= 4 and all(abs(packaged[text] - twin[text]) < 0.3 for text in shared)


def test_log_probabilities_come_with_alternatives(engine: Engine) -> None:
    *_, final = engine.generate(MODEL, ask("Say hello.", top_logprobs=3))
    assert final.output.tokens
    for token in final.output.tokens:
        assert token.logprob <= 0 and len(token.alternatives) == 3


def test_an_answer_can_be_continued_from_a_given_beginning(engine: Engine) -> None:
    *_, final = engine.generate(MODEL, ask("Name a colour.", prefill="My favourite colour is"))
    assert final.output.text and not final.output.text.startswith("My favourite")


def test_a_json_schema_binds_the_answer(engine: Engine) -> None:
    import json

    schema = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}
    form = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
    *_, final = engine.generate(MODEL, ask("How old is the sea?", response_format=form, max_tokens=64))
    assert isinstance(json.loads(final.output.text)["age"], int)


def test_stop_keeps_what_came_and_lets_the_model_go(engine: Engine) -> None:
    cancel = CancelToken()
    events = engine.generate(MODEL, ask("Tell a long story.", max_tokens=2000), cancel=cancel)
    final = None
    for event in events:
        if isinstance(event, Partial):
            cancel.cancel()
        final = event
    assert isinstance(final, Final) and final.output.finish_reason == "stopped"
    assert final.output.text and final.receipt.output_tokens and final.receipt.output_tokens < 200
    assert all(r.leases == 0 for r in engine.pool.residents())


def test_closing_the_iterator_does_not_wait_and_lets_the_model_go(engine: Engine) -> None:
    events = engine.generate(MODEL, ask("Tell a long story.", max_tokens=2000))
    next(e for e in events if isinstance(e, Partial))
    events.close()  # type: ignore[attr-defined]
    deadline = time.monotonic() + 10
    while any(r.leases for r in engine.pool.residents()):
        assert time.monotonic() < deadline, "the run went on after the client left"
        time.sleep(0.02)


def test_two_people_load_a_model_once(engine: Engine) -> None:
    engine.pool.unload()
    loads: list[float] = []

    def run() -> None:
        *_, final = engine.generate(MODEL, ask("Hi."))
        loads.append(final.receipt.seconds.load)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loads) == 3 and sum(load > 0 for load in loads) == 1


def test_a_conversation_that_is_too_long_is_told_or_trimmed(engine: Engine) -> None:
    turns = [m for i in range(30) for m in (Message("user", f"{i} " + "word " * 300), Message("assistant", "Yes."))]
    messages = (*turns, Message("user", "Say hello."))
    with pytest.raises(ContextOverflow) as caught:
        list(engine.generate(MODEL, ask("", messages=messages)))
    assert caught.value.needed > caught.value.limit
    *_, final = engine.generate(MODEL, ask("", messages=messages, overflow="trim"))
    assert final.output.text and "oldest messages were left out" in final.receipt.notes[0]


@pytest.mark.parametrize(
    ("model", "request_", "error"),
    [
        (MODEL, ask(" "), InvalidRequest),
        (MODEL, ask("x" * 1_000_000), InvalidRequest),
        (MODEL, ask("Hi.", temperature=9.0), InvalidRequest),
        (MODEL, ask("Hi.", temperature=float("nan")), InvalidRequest),
        (MODEL, ask("Hi.", grammar="root ::= (("), InvalidRequest),
        (
            MODEL,
            ChatRequest(messages=(Message("user", "What is this?", (ImagePart(b"", "image/png"),)),)),
            InvalidRequest,
        ),
        ("smollm2-135n", ask("Hi."), UnknownModel),
    ],
)
def test_bad_input_is_answered_clearly(engine: Engine, model: str, request_: ChatRequest, error: type) -> None:
    with pytest.raises(error) as caught:
        list(engine.generate(model, request_))
    assert len(str(caught.value)) > 20


def test_a_kind_of_engine_that_a_model_lacks_is_refused_and_not_replaced(engine: Engine) -> None:
    with pytest.raises(NoBackendAvailable):
        list(engine.generate(MODEL, ask("Hi."), mode=Mode.HOSTED))


def test_importing_the_backend_loads_nothing_heavy() -> None:
    heavy = ("torch", "xllamacpp", "transformers", "gradio", "openai")
    code = f"import sys, shared.backends.llama_cpp, shared.engine; print([m for m in {heavy} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
