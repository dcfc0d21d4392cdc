"""What goes wrong at a provider, and what a person is told: the real SDKs against a server that misbehaves."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from shared.backends import get_backend
from shared.catalog import load_catalog
from shared.errors import (
    BackendError,
    ContentFiltered,
    ContextOverflow,
    InferenceError,
    InvalidRequest,
    ModelRetired,
    NoBackendAvailable,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
    StreamCut,
    UnknownModel,
)
from shared.events import Partial
from tests.support import contract, protocols
from tests.support.fake_server import Act, deaf, serving
from tests.support.hosted import KEY, ONCE, Hosted, ask, engine_for, hosted, once, settings_for
from tests.support.protocols import DIALECTS, TEXT, WORDS


@pytest.fixture(params=DIALECTS, ids=lambda dialect: dialect.backend)
def case(request: pytest.FixtureRequest) -> Iterator[Hosted]:
    with hosted(request.param) as made:
        yield made


def test_a_refused_key_is_said_plainly_and_never_echoed(case: Hosted, caplog: pytest.LogCaptureFixture) -> None:
    for status in (401, 403):
        case.fake.asked.clear()
        case.fake.act = case.dialect.error(status, f"Incorrect API key provided: {KEY}.", "authentication_error")
        with caplog.at_level(logging.DEBUG), pytest.raises(ProviderError, match="refused the key") as caught:
            case.events()
        assert not caught.value.retryable and len(case.fake.asked) == 1
        assert KEY not in "".join(traceback.format_exception(caught.value))
        assert KEY not in caplog.text


def test_a_key_echoed_in_another_error_is_struck_out(case: Hosted) -> None:
    case.fake.act = case.dialect.error(400, f"Bad parameter near {KEY} and sk-proj-abcdefgh12345678")
    with pytest.raises(InferenceError) as caught:
        case.events()
    text = "".join(traceback.format_exception(caught.value))
    assert KEY not in text and "abcdefgh12345678" not in text


def test_an_unknown_model_is_named(case: Hosted) -> None:
    case.fake.act = case.dialect.error(404, "The model does not exist", "not_found_error")
    with pytest.raises((UnknownModel, ModelRetired)) as caught:
        case.events()
    assert case.model.partition(":")[2] in str(caught.value) and len(case.fake.asked) == 1


def test_a_wait_in_seconds_is_kept_and_then_it_succeeds(case: Hosted) -> None:
    refusal = case.dialect.error(429, "slow down", "rate_limit_error")
    case.fake.script = [replace(refusal, headers={"Retry-After": "1"})]
    started = time.monotonic()
    *_, final = case.events()
    assert final.output.text == TEXT  # type: ignore[union-attr]
    assert len(case.fake.asked) == 2 and time.monotonic() - started >= 1.0


def test_a_wait_given_as_a_date_is_understood(case: Hosted) -> None:
    when = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    refusal = case.dialect.error(429, "slow down", "rate_limit_error")
    case.fake.act = replace(refusal, headers={"Retry-After": when})
    with pytest.raises(RateLimited) as caught:
        case.events()
    assert caught.value.retry_after == pytest.approx(90, abs=5)
    assert len(case.fake.asked) == 1  # longer than anyone should be kept waiting


def test_a_wait_that_is_not_given_is_none(case: Hosted) -> None:
    case.fake.act = case.dialect.error(429, "slow down", "rate_limit_error")
    with pytest.raises(RateLimited) as caught:
        once(case).events()
    assert caught.value.retry_after is None


@pytest.mark.parametrize("status", [500, 503, 529])
def test_a_servers_trouble_is_tried_again_and_then_succeeds(case: Hosted, status: int) -> None:
    case.fake.script = [case.dialect.error(status, "internal", "api_error")] * 2
    *_, final = case.events()
    assert final.output.text == TEXT and len(case.fake.asked) == 3  # type: ignore[union-attr]


def test_a_servers_trouble_that_lasts_is_told(case: Hosted) -> None:
    case.fake.act = Act(status=502, body="<html><h1>Bad gateway</h1></html>")
    with pytest.raises(ProviderUnavailable) as caught:
        case.events()
    assert len(case.fake.asked) == 3 and "<html" not in str(caught.value)


def test_a_server_that_cannot_be_reached_is_told(case: Hosted) -> None:
    case.fake.stop()
    with pytest.raises(ProviderUnavailable, match="Nothing answers"):
        once(case).events()


def test_a_connection_dropped_before_any_answer_is_tried_again(case: Hosted) -> None:
    case.fake.script = [Act(chunks=(), after="cut")]
    case.events()
    assert len(case.fake.asked) == 2


def test_silence_before_the_answer_ends_in_a_timeout(case: Hosted) -> None:
    case.fake.act = Act(before="hang")
    with pytest.raises(ProviderTimeout):
        once(case.with_settings(first_output_timeout=0.3)).events()
    assert case.fake.closed.wait(1)


def test_silence_within_the_answer_ends_in_a_timeout_and_keeps_what_came(case: Hosted) -> None:
    case.fake.act = Act(chunks=case.dialect.opening(), after="hang")
    with pytest.raises(ProviderTimeout) as caught:
        case.with_settings(first_output_timeout=1.0, idle_timeout=0.3).events()
    assert caught.value.partial is not None
    assert caught.value.partial.output.text == "".join(WORDS[:2])
    assert len(case.fake.asked) == 1 and case.fake.closed.wait(1)


def test_an_answer_without_an_end_is_stopped(case: Hosted) -> None:
    case.fake.act = Act(chunks=case.dialect.opening() * 200, pause=0.05)
    with pytest.raises(ProviderTimeout):
        case.with_settings(total_timeout=0.5).events()
    assert case.fake.closed.wait(1)


def test_a_connection_that_is_never_accepted_ends_in_a_timeout(case: Hosted) -> None:
    with deaf() as address:
        settings = settings_for(case.dialect, address, connect_timeout=0.3)
        started = time.monotonic()
        with pytest.raises((ProviderTimeout, ProviderUnavailable)):
            list(engine_for(settings, ONCE).generate(case.model, ask()))
        assert time.monotonic() - started < 5


def test_an_answer_cut_in_the_middle_is_kept_and_marked(case: Hosted) -> None:
    for after in ("cut", ""):  # a dropped connection, and a stream that just ends too early
        case.fake.asked.clear()
        case.fake.act = Act(chunks=case.dialect.opening(), after=after)
        with pytest.raises(StreamCut) as caught:
            case.events()
        partial = caught.value.partial
        assert partial is not None and partial.output.finish_reason == "cut"
        assert partial.output.text == "".join(WORDS[:2])
        assert len(case.fake.asked) == 1  # never again once output came: it would be seen twice


def test_garbled_events_are_told_and_what_came_is_kept(case: Hosted) -> None:
    named = "event: content_block_delta\n" if case.dialect.backend == "anthropic" else ""
    case.fake.act = Act(chunks=(*case.dialect.opening(), f'{named}data: {{"choices": [{{"del\n\n'))
    with pytest.raises(StreamCut) as caught:
        case.events()
    assert caught.value.partial is not None and len(case.fake.asked) == 1


def test_a_stream_that_is_no_stream_is_told(case: Hosted) -> None:
    case.fake.act = Act(body="<html>Log in to the school's network</html>", headers={"Content-Type": "text/html"})
    with pytest.raises(BackendError):
        case.events()


def test_a_content_filter_is_told_and_nothing_else_is_tried(case: Hosted) -> None:
    case.fake.act = Act(chunks=case.dialect.filtered())
    with pytest.raises(ContentFiltered) as caught:
        case.events()
    assert caught.value.partial is not None and len(case.fake.asked) == 1


def test_a_conversation_too_long_is_told(case: Hosted) -> None:
    text = "prompt is too long: this model's maximum context length is 1000 tokens; you sent 250000 tokens"
    case.fake.act = case.dialect.error(400, text, "context_length_exceeded")
    with pytest.raises(ContextOverflow) as caught:
        case.events()
    assert (caught.value.limit, caught.value.needed) == (1000, 250000)


def test_a_refused_request_is_told_in_the_providers_words(case: Hosted) -> None:
    case.fake.act = case.dialect.error(400, "frequency of the flux is off", "invalid_request_error")
    with pytest.raises(InvalidRequest, match="flux is off"):
        case.events()
    assert len(case.fake.asked) == 1


def test_a_redirect_is_not_followed(case: Hosted) -> None:
    with serving(Act(chunks=case.dialect.answer())) as elsewhere:
        case.fake.act = Act(status=307, headers={"Location": elsewhere.url + "/v1"})
        with pytest.raises(BackendError):
            case.events()
        assert not elsewhere.asked


def test_a_failure_moves_to_no_other_provider(case: Hosted) -> None:
    """A model that two providers serve: the first one fails, and the second is never asked."""
    with serving(Act(chunks=case.dialect.answer())) as other:
        assert case.settings is not None
        spec = case.engine.find(case.model)
        second = replace(spec.variants[0], options={**spec.variants[0].options, "base_url": other.url + "/v1"})
        both = replace(spec, id="both", variants=(spec.variants[0], replace(second, backend="openai_compatible")))
        engine = engine_for(case.settings, ONCE)
        engine.catalog = engine.catalog.with_models([both])
        case.fake.act = case.dialect.error(500, "internal", "api_error")
        with pytest.raises(ProviderUnavailable):
            list(engine.generate("both", ask()))
        assert case.fake.asked and not other.asked


STAGES = {
    "waiting for an answer": Act(before="hang"),
    "in mid-answer": None,
}


@pytest.mark.parametrize("stage", STAGES)
def test_a_client_that_leaves_closes_the_connection_upstream(case: Hosted, stage: str) -> None:
    case.fake.act = STAGES[stage] or Act(chunks=case.dialect.opening(), after="hang")
    run = case.engine.generate(case.model, ask(), settings=case.settings)
    ready = case.fake.arrived if case.fake.act.before else case.fake.streaming
    while not ready.is_set() and next(run):
        pass
    left = time.monotonic()
    run.close()
    assert time.monotonic() - left < 0.5, "closing must not wait for the worker"
    assert case.fake.closed.wait(2), "the connection stays open"
    assert case.fake.closed_at is not None and case.fake.closed_at - left < 1.0
    contract.no_lease_is_left(case.engine)


@pytest.mark.parametrize("stage", STAGES)
def test_stop_ends_the_run_and_keeps_what_came(case: Hosted, stage: str) -> None:
    case.fake.act = STAGES[stage] or Act(chunks=case.dialect.opening(), after="hang")
    waiting = bool(case.fake.act.before)
    ready = case.fake.arrived if waiting else case.fake.streaming

    def when() -> None:
        assert ready.wait(10)
        time.sleep(0.2)

    final = contract.stop_keeps_what_came(case, when)
    assert final.output.text == ("" if waiting else "".join(WORDS[:2]))
    assert case.fake.closed.wait(1)


def test_stop_while_connecting(case: Hosted) -> None:
    with deaf() as address:
        settings = settings_for(case.dialect, address, connect_timeout=20.0)
        stuck = replace(case, engine=engine_for(settings), settings=settings)
        contract.stop_keeps_what_came(stuck, lambda: time.sleep(0.4))


def test_many_at_once_do_not_mix(case: Hosted) -> None:
    texts: list[str] = []

    def one() -> None:
        events = case.engine.generate(case.model, ask(), settings=case.settings)
        texts.append("".join(e.text for e in events if isinstance(e, Partial)))

    threads = [threading.Thread(target=one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert texts == [TEXT] * 6


def test_a_servers_key_never_goes_to_a_url_that_a_person_chose() -> None:
    dialect = next(d for d in DIALECTS if d.backend == "openai_compatible")
    with hosted(dialect) as case:
        assert case.settings is not None
        keys = {name: case.settings.server_keys[dialect.env_var] for name in ("CUSTOM_API_KEY", "OPENAI_API_KEY")}
        theirs = f"m@{case.fake.url}/v1"
        open_handed = case.with_settings(server_keys=keys)
        replace(open_handed, model=theirs).events()
        assert KEY not in str(case.fake.asked[0].headers)
        session = open_handed.settings.with_session_keys({"CUSTOM_API_KEY": "my-own-key"})  # type: ignore[union-attr]
        replace(open_handed, model=theirs, settings=session).events()
        assert dialect.key_in(case.fake.asked[1]) == "my-own-key"


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/v1",
        "https://127.0.0.1/v1",
        "https://localhost:8443/v1",
        "https://10.0.0.8/v1",
        "https://192.168.1.1/v1",
        "https://169.254.169.254/latest",
        "https://[::1]/v1",
        "https://[::ffff:127.0.0.1]/v1",
        "https://[fd00:ec2::254]/v1",
        "https://100.64.0.1/v1",
        "https://0.0.0.0/v1",
    ],
)
def test_a_public_server_calls_nothing_of_its_own_network(url: str) -> None:
    dialect = next(d for d in DIALECTS if d.backend == "openai_compatible")
    settings = settings_for(dialect, "http://127.0.0.1:9", public=True)
    engine = engine_for(settings, ONCE)
    with pytest.raises((BackendError, NoBackendAvailable, InvalidRequest)) as caught:
        list(engine.generate(f"m@{url}", ask()))
    assert "https" in str(caught.value) or "network" in str(caught.value)


def test_a_check_needs_no_network(case: Hosted) -> None:
    assert case.settings is not None
    variant = case.engine.find(case.model).variants[0]
    get_backend(variant.backend).check(variant, case.settings)
    assert not case.fake.asked


IN_STREAM = {
    "openai": ({"type": "error", "code": "server_error", "message": "boom", "param": None, "sequence_number": 5}, True),
    "openai_compatible": ({"error": {"message": "boom", "code": "server_error"}}, False),
    "anthropic": ({"type": "error", "error": {"type": "overloaded_error", "message": "boom"}}, True),
    "google": ({"error": {"code": 503, "message": "boom", "status": "UNAVAILABLE"}}, False),
    "huggingface": ({"error": {"message": "boom", "code": "server_error"}}, False),
}


def test_an_error_within_the_stream_is_told_and_what_came_is_kept(case: Hosted) -> None:
    event, by_name = IN_STREAM[case.dialect.backend]
    wire = (protocols.named if by_name else protocols.data)(event)
    case.fake.act = Act(chunks=(*case.dialect.opening(), *wire))
    with pytest.raises(ProviderError) as caught:
        case.events()
    assert caught.value.partial is not None and caught.value.partial.output.text == "".join(WORDS[:2])
    assert len(case.fake.asked) == 1


def test_an_error_within_the_stream_before_any_output_is_tried_again(case: Hosted) -> None:
    event, by_name = IN_STREAM[case.dialect.backend]
    case.fake.script = [Act(chunks=(protocols.named if by_name else protocols.data)(event))]
    *_, final = case.events()
    assert final.output.text == TEXT and len(case.fake.asked) == 2  # type: ignore[union-attr]


def test_googles_way_of_refusing_a_key_is_understood() -> None:
    dialect = next(d for d in DIALECTS if d.backend == "google")
    refusal = dialect.error(400, "API key not valid. Please pass a valid API key.", "INVALID_ARGUMENT")
    with hosted(dialect, refusal) as case, pytest.raises(ProviderError, match="refused the key"):
        case.events()


def test_used_up_credit_is_not_tried_again() -> None:
    dialect = next(d for d in DIALECTS if d.backend == "openai")
    refusal = dialect.error(429, "You exceeded your current quota.", "insufficient_quota")
    with hosted(dialect, refusal) as case:
        with pytest.raises(ProviderError, match="credit"):
            case.events()
        assert len(case.fake.asked) == 1


def test_an_account_that_may_not_see_summaries_still_gets_its_answer() -> None:
    dialect = next(d for d in DIALECTS if d.backend == "openai")
    refusal = dialect.error(400, "Your organization must be verified to generate reasoning summaries.")
    refusal.body["error"]["param"] = "reasoning.summary"
    with hosted(dialect) as case:
        case.fake.script = [refusal]
        *_, final = case.events()
        assert final.output.text == TEXT  # type: ignore[union-attr]
        assert [("summary" in a.body["reasoning"]) for a in case.fake.asked] == [True, False]


def test_a_retired_models_successor_is_named() -> None:
    dialect = next(d for d in DIALECTS if d.backend == "openai")
    with hosted(dialect, dialect.error(404, "The model `gpt-4` does not exist", "model_not_found")) as case:
        successor = next(s.successor for s in load_catalog() if s.id == "openai:gpt-4")
        with pytest.raises(ModelRetired, match=str(successor)):
            replace(case, model="openai:gpt-4").events()


def test_a_key_of_no_known_form_is_struck_out_too() -> None:
    dialect = next(d for d in DIALECTS if d.backend == "openai_compatible")
    key = "correcthorsebatterystaple"
    with hosted(dialect, dialect.error(400, f"Unknown parameter; you sent {key}")) as case:
        session = case.settings.with_session_keys({"CUSTOM_API_KEY": key})  # type: ignore[union-attr]
        own = replace(case, model=f"m@{case.fake.url}/v1", settings=session)
        with pytest.raises(InferenceError, match="Unknown parameter") as caught:
            own.events()
        assert key not in str(caught.value)
