"""From a model's name and a request to events and a receipt: what is filled in, dropped, tried next and told."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable

import pytest

from shared.backends.base import Usage
from shared.engine import Engine
from shared.errors import (
    BackendError,
    ContentFiltered,
    ContextOverflow,
    InferenceError,
    InvalidRequest,
    NoBackendAvailable,
    OutOfMemory,
    RateLimited,
    StreamCut,
    UnknownModel,
)
from shared.events import Event, Final, Partial, Progress
from shared.requests import ChatRequest, ImagePart, Message
from shared.settings import Settings
from shared.streaming import CancelToken, Emit
from shared.tasks import Mode, Task
from tests.support.fakes import FakeBackend, a_variant, an_engine, ask, fail, in_turn, say, until

Add = Callable[[FakeBackend], FakeBackend]
SECRET = "sk-this-is-a-secret-key"


def final_of(engine: Engine, request: ChatRequest | None = None, **how: object) -> Final:
    """The end of a run."""
    last = list(engine.generate("m", request or ask(), **how))[-1]  # type: ignore[arg-type]
    assert isinstance(last, Final)
    return last


def failure_of(engine: Engine, request: ChatRequest | None = None, **how: object) -> InferenceError:
    """What a run breaks with."""
    with pytest.raises(InferenceError) as caught:
        list(engine.generate("m", request or ask(), **how))  # type: ignore[arg-type]
    return caught.value


def two(add: Add, first: FakeBackend, second: FakeBackend) -> Engine:
    """A model that runs on the first engine, or else on the second."""
    return an_engine(a_variant(add(first)), a_variant(add(second)))


# What is asked of a model, and what the receipt says of it


def test_an_answer_comes_in_pieces_and_ends_with_its_receipt(add: Add) -> None:
    backend = add(FakeBackend("one", run=say("Hel", "lo", usage=Usage(input_tokens=3, output_tokens=2))))
    *before, final = an_engine(a_variant(backend, "org/m", revision="abc")).generate("m", ask())
    assert [e for e in before if isinstance(e, Partial)] == [Partial("Hel"), Partial("lo")]
    assert isinstance(final, Final) and final.output.text == "Hello"
    receipt = final.receipt
    assert (receipt.model, receipt.name, receipt.license, receipt.backend) == ("m", "Model M", "MIT", "one")
    assert (receipt.repo_id, receipt.revision, receipt.mode, receipt.task) == ("org/m", "abc", "local", Task.CHAT)
    assert (receipt.input_tokens, receipt.output_tokens, receipt.finish_reason) == (3, 2, "stop")
    assert receipt.seconds.first_output is not None and receipt.seconds.total >= receipt.seconds.first_output
    assert receipt.notes == () and receipt.unhonoured == {}


def test_the_receipt_says_what_the_loaded_model_really_is(add: Add) -> None:
    facts = {"device": "cpu", "dtype": "bfloat16", "revision": "the-one-that-ran", "versions": {"lib": "1.2"}}
    backend = add(FakeBackend("one", facts=facts, run=say("x", facts={"request_id": "r1"})))
    receipt = final_of(an_engine(a_variant(backend, revision="main", dtype="auto"))).receipt
    assert (receipt.device, receipt.dtype, receipt.revision) == ("cpu", "bfloat16", "the-one-that-ran")
    assert receipt.versions == {"lib": "1.2"} and receipt.extra == {"request_id": "r1"}


def test_the_models_defaults_stand_where_the_person_set_nothing(add: Add) -> None:
    backend = add(FakeBackend("one"))
    engine = an_engine(a_variant(backend), defaults={"temperature": 0.2, "max_tokens": 77})
    receipt = final_of(engine, ask(temperature=0.0)).receipt
    assert (backend.asked[0].temperature, backend.asked[0].max_tokens) == (0.0, 77)
    assert receipt.settings == {"temperature": 0.0, "max_tokens": 77}


def test_a_default_that_the_engine_lacks_is_no_broken_promise(add: Add) -> None:
    backend = add(FakeBackend("one", takes=frozenset({"seed"})))
    receipt = final_of(an_engine(a_variant(backend), defaults={"temperature": 0.2})).receipt
    assert backend.asked[0].temperature is None
    assert receipt.unhonoured == {} and receipt.settings == {}


def test_a_seed_is_drawn_and_named_so_that_the_run_can_be_repeated(add: Add) -> None:
    backend = add(FakeBackend("one"))
    engine = an_engine(a_variant(backend))
    drawn = [final_of(engine).receipt.seed for _ in range(2)]
    assert [request.seed for request in backend.asked] == drawn
    assert None not in drawn and drawn[0] != drawn[1]
    assert final_of(engine).receipt.seed_kind == "exact"


@pytest.mark.parametrize("seed", [0, 42, 2**32 - 1])
def test_a_given_seed_is_kept(add: Add, seed: int) -> None:
    backend = add(FakeBackend("one"))
    assert final_of(an_engine(a_variant(backend)), ask(seed=seed)).receipt.seed == seed
    assert backend.asked[0].seed == seed


def test_an_engine_without_seeds_is_given_none_and_the_receipt_claims_none(add: Add) -> None:
    backend = add(FakeBackend("one", takes=frozenset(), more={}))
    receipt = final_of(an_engine(a_variant(backend)), ask(seed=5)).receipt
    assert backend.asked[0].seed is None and receipt.seed is None and receipt.seed_kind == "none"
    assert "seed" in receipt.unhonoured


def test_settings_that_an_engine_lacks_are_left_out_and_named_with_the_reason(add: Add) -> None:
    more = {"seed": "exact", "why_not": {"top_k": "It always picks from all words."}}
    backend = add(FakeBackend("one", more=more))
    receipt = final_of(an_engine(a_variant(backend)), ask(top_k=40, repetition_penalty=1.1, top_p=0.9)).receipt
    assert (backend.asked[0].top_k, backend.asked[0].repetition_penalty, backend.asked[0].top_p) == (None, None, 0.9)
    assert receipt.unhonoured == {
        "top_k": "It always picks from all words.",
        "repetition_penalty": "The one engine has no such setting for this model.",
    }
    assert receipt.settings == {"top_p": 0.9}


def test_a_setting_dropped_during_the_run_is_named_too_and_not_as_honoured(add: Add) -> None:
    backend = add(FakeBackend("one", run=say("x", facts={"unhonoured": {"top_p": "Only one of two."}})))
    receipt = final_of(an_engine(a_variant(backend)), ask(top_p=0.9, top_k=3)).receipt
    assert set(receipt.unhonoured) == {"top_p", "top_k"} and receipt.settings == {}


def test_stop_words_that_an_engine_lacks_are_left_out(add: Add) -> None:
    backend = add(FakeBackend("one", takes=frozenset({"seed"})))
    receipt = final_of(an_engine(a_variant(backend)), ask(stop=("END",))).receipt
    assert backend.asked[0].stop == () and "stop" in receipt.unhonoured


def test_a_run_here_costs_no_provider_anything_and_never_shows_zero(add: Add) -> None:
    receipt = final_of(an_engine(a_variant(add(FakeBackend("one"))))).receipt
    assert receipt.cost_usd is None and "unpriced" in receipt.cost_note


def test_a_hosted_run_that_nobody_prices_says_so(add: Add) -> None:
    backend = add(FakeBackend("one", hosted=True, run=say("x", usage=Usage(input_tokens=1, output_tokens=1))))
    receipt = final_of(an_engine(a_variant(backend))).receipt
    assert receipt.cost_usd is None and receipt.cost_note.startswith("unpriced")
    assert receipt.memory_gb is None


# What is refused, before anything is loaded


def test_an_unknown_model_is_told(add: Add) -> None:
    engine = an_engine(a_variant(add(FakeBackend("one"))))
    with pytest.raises(UnknownModel, match="no model called 'nonsense'"):
        list(engine.generate("nonsense", ask()))


@pytest.mark.parametrize(
    "request_",
    [
        ChatRequest(messages=()),
        ask(" \n"),
        ask("Hi", "Hello"),
        ask(temperature=float("nan")),
        ask(temperature=-1),
        ask(seed=2**32),
        ask(max_tokens=0),
        ask(response_format={"type": "json_object"}, grammar='root ::= "a"'),
    ],
    ids=["nothing", "blank", "ends with an answer", "nan", "cold", "seed", "no answer", "schema and grammar"],
)
def test_a_request_that_nobody_could_run_is_refused(add: Add, request_: ChatRequest) -> None:
    backend = add(FakeBackend("one"))
    assert isinstance(failure_of(an_engine(a_variant(backend)), request_), InvalidRequest)
    assert backend.loads == 0


@pytest.mark.parametrize(
    "request_",
    [ask("x" * 101), ask("x" * 101, "Yes", "Hi"), ask(system="x" * 101), ask(prefill="x" * 101)],
    ids=["message", "earlier message", "system prompt", "prefill"],
)
def test_a_text_over_the_servers_limit_is_refused(add: Add, request_: ChatRequest) -> None:
    backend = add(FakeBackend("one", takes=frozenset({"prefill"})))
    engine = an_engine(a_variant(backend), settings=Settings(max_prompt_chars=100))
    error = failure_of(engine, request_)
    assert isinstance(error, InvalidRequest) and "101 characters" in str(error) and "100" in str(error)
    assert backend.loads == 0
    assert final_of(engine, ask("x" * 100)).output.text


def a_picture() -> ChatRequest:
    return ChatRequest(messages=(Message("user", "What is this?", (ImagePart(b"...", "image/png"),)),))


def test_a_picture_for_a_model_that_reads_text_only_is_refused(add: Add) -> None:
    backend = add(FakeBackend("one"))
    error = failure_of(an_engine(a_variant(backend)), a_picture())
    assert isinstance(error, InvalidRequest) and "text only" in str(error)
    assert backend.loads == 0


def test_a_picture_reaches_a_model_that_sees(add: Add) -> None:
    backend = add(FakeBackend("one", more={"images": True}))
    final_of(an_engine(a_variant(backend)), a_picture())
    assert backend.asked[0].messages[0].images[0].data == b"..."


def test_where_no_engine_can_run_it_each_says_why(add: Add) -> None:
    missing = add(FakeBackend("one", missing="It needs a key."))
    engine = an_engine(a_variant(missing), a_variant(add(FakeBackend("two")), memory_gb=99.0))
    error = failure_of(engine)
    assert isinstance(error, NoBackendAvailable)
    assert error.reasons[0] == "The one engine: It needs a key."
    assert error.reasons[1].startswith("The two engine: It needs 99.0 GB of memory")
    assert [c.reason is None for c in engine.choices(Task.CHAT)] == [False, False]


def test_a_conversation_that_is_too_long_is_told_with_the_engines_own_count(add: Add) -> None:
    backend = add(FakeBackend("one", count=lambda r: 40 * len(r.messages)))
    engine = an_engine(a_variant(backend), context_length=100)
    error = failure_of(engine, ask("a", "b", "c", max_tokens=20))
    assert isinstance(error, ContextOverflow) and (error.needed, error.limit, error.estimated) == (140, 100, False)
    assert backend.asked == []


def test_a_conversation_that_may_be_trimmed_is_and_the_receipt_says_so(add: Add) -> None:
    backend = add(FakeBackend("one", count=lambda r: 40 * len(r.messages)))
    engine = an_engine(a_variant(backend), context_length=100)
    receipt = final_of(engine, ask("a", "b", "c", max_tokens=20, overflow="trim")).receipt
    assert [m.content for m in backend.asked[0].messages] == ["c"]
    assert receipt.notes == ("The 2 oldest messages were left out to fit the model's context.",)


# Falling back


def test_when_one_engine_fails_the_next_one_here_runs_and_it_is_told(add: Add) -> None:
    first = FakeBackend("one", run=fail(BackendError("The file is broken.")))
    engine = two(add, first, FakeBackend("two", run=say("ok")))
    *before, final = engine.generate("m", ask())
    assert isinstance(final, Final) and final.receipt.backend == "two" and final.output.text == "ok"
    note = "The one engine failed (The file is broken.); ran on The two engine instead."
    assert final.receipt.notes == (note,)
    assert Progress(note) in before


def test_a_model_that_does_not_fit_falls_back_as_well(add: Add) -> None:
    def too_large(*_: object) -> None:
        raise OutOfMemory(4.0, 1.0)

    engine = two(add, FakeBackend("one", on_load=too_large), FakeBackend("two"))
    assert final_of(engine).receipt.backend == "two"


def test_each_engine_gets_the_settings_it_takes(add: Add) -> None:
    first = FakeBackend("one", takes=frozenset(), run=fail(BackendError("no")))
    second = FakeBackend("two")
    receipt = final_of(two(add, first, second), ask(temperature=0.5)).receipt
    assert second.asked[0].temperature == 0.5 and receipt.unhonoured == {}


def test_when_the_last_engine_fails_too_its_error_is_told(add: Add) -> None:
    engine = two(
        add, FakeBackend("one", run=fail(BackendError("first"))), FakeBackend("two", run=fail(BackendError("second")))
    )
    assert str(failure_of(engine)) == "second"


@pytest.mark.parametrize(
    "error",
    [ContentFiltered("The provider"), InvalidRequest("The schema is wrong."), ContextOverflow(9, 8)],
    ids=lambda e: type(e).__name__,
)
def test_what_another_engine_must_not_or_could_not_mend_stays(add: Add, error: InferenceError) -> None:
    second = FakeBackend("two")
    assert failure_of(two(add, FakeBackend("one", run=fail(error)), second)) is error
    assert second.loads == 0


@pytest.mark.parametrize(("first_hosted", "second_hosted"), [(True, False), (False, True), (True, True)])
def test_a_run_never_moves_to_or_from_a_provider(add: Add, first_hosted: bool, second_hosted: bool) -> None:
    first = FakeBackend("one", hosted=first_hosted, run=fail(BackendError("It failed.")))
    second = FakeBackend("two", hosted=second_hosted)
    assert str(failure_of(two(add, first, second))) == "It failed."
    assert second.loads == 0


def test_once_output_has_begun_no_other_engine_is_asked(add: Add) -> None:
    second = FakeBackend("two")
    engine = two(add, FakeBackend("one", run=fail(BackendError("It broke."), after="Half an ans")), second)
    error = failure_of(engine)
    assert str(error) == "It broke." and error.partial is not None
    assert second.loads == 0


def test_a_chosen_engine_is_never_left(add: Add) -> None:
    first, second = add(FakeBackend("one", run=fail(BackendError("It failed.")))), add(FakeBackend("two"))
    variants = a_variant(first), a_variant(second)
    assert str(failure_of(an_engine(*variants), variant=variants[0].key)) == "It failed."
    assert second.loads == 0
    assert final_of(an_engine(*variants), variant=variants[1].key).receipt.backend == "two"


def test_a_chosen_kind_of_engine_is_never_left(add: Add) -> None:
    full, quantized = add(FakeBackend("one")), add(FakeBackend("two", run=fail(BackendError("It failed."))))
    engine = an_engine(a_variant(full), a_variant(quantized, quantization="int8"))
    assert str(failure_of(engine, mode=Mode.QUANTIZED)) == "It failed."
    assert full.loads == 0
    assert isinstance(failure_of(engine, mode=Mode.HOSTED), NoBackendAvailable)


# Stopping


def until_stopped(begun: threading.Event) -> Callable[[ChatRequest, Emit], None]:
    """A run that says two words and then works on until it is stopped."""

    def run(request: ChatRequest, emit: Emit) -> None:
        emit(Partial("Two"))
        emit(Partial(" words"))
        begun.set()
        while True:
            emit.cancel.wait(0.002)
            emit.check()

    return run


def test_stop_ends_in_a_final_with_what_came_and_its_receipt(add: Add) -> None:
    token, begun = CancelToken(), threading.Event()
    backend = add(FakeBackend("one", run=until_stopped(begun)))  # type: ignore[arg-type]
    engine = an_engine(a_variant(backend))
    presser = threading.Thread(target=lambda: (begun.wait(5), token.cancel()))
    presser.start()
    final = final_of(engine, cancel=token)
    presser.join()
    assert (final.output.text, final.output.finish_reason) == ("Two words", "stopped")
    assert final.receipt.finish_reason == "stopped" and final.receipt.output_tokens == 2
    assert [r.leases for r in engine.pool.residents()] == [0]


def test_stop_while_a_model_loads_ends_in_a_final_too(add: Add) -> None:
    token = CancelToken()

    def load(variant: object, settings: object, emit: Emit) -> None:
        emit(Progress("Loading"))
        token.cancel()
        emit(Progress("Still loading"))

    second = FakeBackend("two")
    final = final_of(two(add, FakeBackend("one", on_load=load), second), cancel=token)
    assert (final.output.text, final.output.finish_reason) == ("", "stopped")
    assert final.receipt.seed is not None and second.loads == 0


def test_stop_between_two_engines_ends_in_a_final_and_loads_nothing_more(add: Add) -> None:
    token = CancelToken()

    def load(*_: object) -> None:
        token.cancel()
        raise BackendError("It failed.")

    second = FakeBackend("two")
    final = final_of(two(add, FakeBackend("one", on_load=load), second), cancel=token)
    assert final.output.finish_reason == "stopped"
    assert second.loads == 0


def test_one_who_leaves_stops_the_run_and_the_model_is_free_again(add: Add) -> None:
    backend = add(FakeBackend("one", run=until_stopped(threading.Event())))  # type: ignore[arg-type]
    engine = an_engine(a_variant(backend))
    events = engine.generate("m", ask())
    assert Partial("Two") in (next(events), next(events))
    events.close()  # type: ignore[attr-defined]
    until(lambda: [r.leases for r in engine.pool.residents()] == [0])


# Errors


@pytest.mark.parametrize(
    "error", [StreamCut("The provider"), BackendError("It broke.")], ids=lambda e: type(e).__name__
)
def test_an_error_after_output_brings_what_came_marked_as_cut(add: Add, error: BackendError) -> None:
    backend = add(FakeBackend("one", hosted=True, run=fail(error, after="Half an ans")))
    told = failure_of(an_engine(a_variant(backend)), ask(temperature=0.1))
    assert told is error and told.partial is not None
    assert (told.partial.output.text, told.partial.output.finish_reason) == ("Half an ans", "cut")
    assert told.partial.receipt.finish_reason == "cut" and told.partial.receipt.settings["temperature"] == 0.1


def test_an_error_before_output_brings_no_half_answer(add: Add) -> None:
    backend = add(FakeBackend("one", run=fail(BackendError("It broke."))))
    assert failure_of(an_engine(a_variant(backend))).partial is None


@pytest.mark.parametrize("after", ["", "Half an ans"])
def test_an_unforeseen_failure_is_told_without_its_words(
    add: Add, after: str, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings().with_session_keys({"SOME_KEY": SECRET})
    unforeseen = RuntimeError(f"Illegal header value b'Bearer {SECRET}'")
    backend = add(FakeBackend("one", run=fail(unforeseen, after=after)))
    with caplog.at_level(logging.ERROR):
        error = failure_of(an_engine(a_variant(backend)), settings=settings)
    assert isinstance(error, BackendError)
    assert "RuntimeError" in str(error) and SECRET not in str(error) + repr(error)
    assert "Illegal header value" in caplog.text, "the server's keeper finds the cause in the log"
    assert SECRET not in caplog.text
    assert "Illegal header value" not in "".join(traceback.format_exception(error)), "whoever logs the error logs this"
    assert bool(error.partial) == bool(after)


def test_an_unforeseen_failure_falls_back_like_any_other(add: Add) -> None:
    engine = two(add, FakeBackend("one", run=fail(RuntimeError(SECRET))), FakeBackend("two"))
    receipt = final_of(engine).receipt
    assert receipt.backend == "two" and SECRET not in receipt.to_json()


def test_a_passing_failure_is_tried_again_before_any_output(add: Add) -> None:
    busy = fail(RateLimited("The provider", retry_after=0.001))
    backend = add(FakeBackend("one", hosted=True, run=in_turn(busy, busy, say("ok"))))
    events: list[Event] = list(an_engine(a_variant(backend)).generate("m", ask()))
    assert isinstance(events[-1], Final) and events[-1].output.text == "ok"
    assert len(backend.asked) == 3
    assert any(isinstance(e, Progress) and "attempt 2 of 3" in e.message for e in events)


def test_nothing_is_tried_again_once_output_began(add: Add) -> None:
    cut = fail(RateLimited("The provider", retry_after=0.001), after="Half")
    backend = add(FakeBackend("one", hosted=True, run=in_turn(cut, say("whole"))))
    assert failure_of(an_engine(a_variant(backend))).partial
    assert len(backend.asked) == 1


# Whose keys, which models


def test_a_session_runs_with_its_own_keys(add: Add) -> None:
    given: list[Settings] = []
    backend = add(FakeBackend("one", hosted=True, on_load=lambda variant, settings, emit: given.append(settings)))
    mine = Settings().with_session_keys({"SOME_KEY": SECRET})
    engine = an_engine(a_variant(backend))
    receipt = final_of(engine, settings=mine).receipt
    assert given == [mine] and backend.checked_with is mine
    assert SECRET not in receipt.to_json() + repr(receipt)
    final_of(engine)
    assert given[-1] is engine.settings


def test_another_list_of_models_shares_what_is_in_memory(add: Add) -> None:
    backend = add(FakeBackend("one"))
    engine = an_engine(a_variant(backend))
    final_of(engine)
    longer = engine.with_catalog(engine.catalog.with_models([]))
    final_of(longer)
    assert backend.loads == 1
    assert engine.with_catalog(None) is engine
