"""Every hosted engine keeps the contract, shown with the real SDKs against a local server that plays the provider."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace

import pytest

from shared.backends import get_backend
from shared.errors import InvalidRequest, NoBackendAvailable
from shared.events import Partial
from shared.requests import ImagePart, Message
from tests.support import contract
from tests.support.fake_server import Act
from tests.support.hosted import KEY, Hosted, ask, hosted
from tests.support.protocols import BY_BACKEND, DIALECTS, TEXT, THOUGHT, Dialect

PICTURE = ImagePart(b"\x89PNG\r\n\x1a\n-picture-", "image/png")
PICTURE_URL = "data:image/png;base64,iVBORw0KGgotcGljdHVyZS0="


@pytest.fixture(params=DIALECTS, ids=lambda dialect: dialect.backend)
def case(request: pytest.FixtureRequest) -> Iterator[Hosted]:
    with hosted(request.param) as made:
        yield made


def of(backend: str) -> Dialect:
    return BY_BACKEND[backend]


def test_a_run_ends_in_one_final_with_the_providers_count(case: Hosted) -> None:
    final = contract.ends_in_one_final(case)
    assert final.output.text == TEXT and final.output.finish_reason == "stop"
    receipt = final.receipt
    assert (receipt.input_tokens, receipt.output_tokens, receipt.cached_tokens) == (12, 30, 4)
    assert receipt.mode == "hosted" and receipt.memory_gb is None
    assert receipt.extra["served_model"] and receipt.extra["request_id"]


def test_events_pickle(case: Hosted) -> None:
    contract.events_pickle(case)


def test_close_may_be_called_twice(case: Hosted) -> None:
    contract.closes_twice(case)


def test_a_missing_key_is_named_and_nothing_is_sent(case: Hosted) -> None:
    bare = replace(case.engine.settings, server_keys={})
    contract.check_names_what_is_missing(case, bare, case.dialect.env_var)
    with pytest.raises(NoBackendAvailable, match=case.dialect.env_var):
        list(case.engine.generate(case.model, ask(), settings=bare))
    assert not case.fake.asked


@pytest.mark.parametrize("backend", sorted(BY_BACKEND))
def test_importing_the_engine_loads_nothing_heavy(backend: str) -> None:
    contract.import_is_light(backend)


def test_the_key_goes_to_the_provider_and_the_path_is_its_own(case: Hosted) -> None:
    case.events()
    (asked,) = case.fake.asked
    assert asked.path == case.dialect.path
    assert case.dialect.key_in(asked) == KEY


def test_nothing_of_the_environment_is_sent(case: Hosted, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDKs read keys, addresses, organizations and headers of their own accord, if they are let."""
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "GOOGLE_API_KEY", "HF_TOKEN"):
        monkeypatch.setenv(name, "hf_FROM-THE-ENVIRONMENT")
    for name in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ADMIN_KEY"):
        monkeypatch.setenv(name, "hf_FROM-THE-ENVIRONMENT")
    for name in ("OPENAI_CUSTOM_HEADERS", "ANTHROPIC_CUSTOM_HEADERS"):
        monkeypatch.setenv(name, "X-Mine: hf_FROM-THE-ENVIRONMENT")
    for name in ("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "GOOGLE_GEMINI_BASE_URL", "HF_INFERENCE_ENDPOINT"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/never")
    case.events()
    (asked,) = case.fake.asked
    assert case.dialect.key_in(asked) == KEY
    assert "FROM-THE-ENVIRONMENT" not in str(asked.headers)


def test_the_key_stands_in_no_receipt_and_no_log(case: Hosted, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        *_, final = case.events()
    assert KEY not in final.receipt.to_json()  # type: ignore[union-attr]
    assert KEY not in caplog.text


def test_a_session_key_goes_before_the_servers(case: Hosted) -> None:
    mine = "hf_MYOWNKEY0123456789"
    assert case.settings is not None
    session = replace(case, settings=case.settings.with_session_keys({case.dialect.env_var: mine}))
    session.events()
    assert case.dialect.key_in(case.fake.asked[0]) == mine


def test_the_system_prompt_and_the_whole_conversation_arrive(case: Hosted) -> None:
    talk = (Message("user", "MARK-ONE"), Message("assistant", "MARK-TWO"), Message("user", "MARK-THREE"))
    case.events(ask(messages=talk, system="MARK-SYSTEM"))
    sent = case.fake.asked[0].raw.decode()
    places = [sent.index(mark) for mark in ("MARK-ONE", "MARK-TWO", "MARK-THREE")]
    assert "MARK-SYSTEM" in sent and places == sorted(places)


def leaves(body: object) -> list[object]:
    """Every value in a request, however deep: a text search would find 17 in a drawn seed too."""
    inner = body.values() if isinstance(body, dict) else body if isinstance(body, list) else None
    return [body] if inner is None else [leaf for each in inner for leaf in leaves(each)]


def test_settings_that_are_honoured_are_sent_and_the_others_are_named(case: Hosted) -> None:
    chosen = {
        "temperature": 0.37,
        "top_p": 0.83,
        "top_k": 17,
        "repetition_penalty": 1.13,
        "seed": 4711,
        "grammar": "MARK-GRAMMAR",
    }
    variant = case.engine.find(case.model).variants[0]
    known = get_backend(variant.backend).capabilities(variant).parameters
    for name, value in chosen.items():
        case.fake.asked.clear()
        *_, final = case.events(ask(**{name: value}))
        receipt = final.receipt  # type: ignore[union-attr]
        sent = value in leaves(case.fake.asked[0].body)
        kept = receipt.seed == value if name == "seed" else receipt.settings.get(name) == value
        assert sent == kept == (name in known), name
        assert (name in receipt.unhonoured) != kept, name


def test_what_is_not_honoured_is_said_with_a_reason(case: Hosted) -> None:
    contract.unhonoured_stand_in_the_receipt(case, ask(grammar='root ::= "x"'), "grammar")


def test_a_json_schema_arrives(case: Hosted) -> None:
    schema = {"type": "object", "properties": {"MARK-FIELD": {"type": "string"}}, "required": ["MARK-FIELD"]}
    form = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
    case.events(ask(response_format=form))
    assert "MARK-FIELD" in case.fake.asked[0].raw.decode()


@pytest.mark.parametrize("backend", ["openai", "anthropic", "google", "openai_compatible", "huggingface"])
def test_pictures_arrive_whole(backend: str) -> None:
    with hosted(of(backend)) as case:
        case.events(ask(messages=(Message("user", "What is this?", (PICTURE,)),)))
        assert case.dialect.image_in(case.fake.asked[0]) == PICTURE_URL


def test_thinking_is_kept_apart_from_the_answer(case: Hosted) -> None:
    case.fake.act = Act(chunks=case.dialect.answer(thinking=True))
    final = contract.ends_in_one_final(replace(case, request=ask(reasoning_effort="low", max_tokens=4096)))
    assert final.output.thinking == THOUGHT and final.output.text == TEXT


@pytest.mark.parametrize("backend", ["openai", "google", "openai_compatible", "huggingface"])
def test_tokens_of_thinking_are_counted(backend: str) -> None:
    with hosted(of(backend)) as case:
        *_, final = case.events()
        assert final.receipt.reasoning_tokens == 20  # type: ignore[union-attr]


@pytest.mark.parametrize("model", ["openai:gpt-4.1", "openrouter:some/model", "huggingface:openai/gpt-oss-20b"])
def test_log_probabilities_come_with_alternatives(model: str) -> None:
    dialect = next(d for d in DIALECTS if d.model.partition(":")[0] == model.partition(":")[0])
    with hosted(dialect, Act(chunks=dialect.answer(tokens=True))) as made:
        *_, final = replace(made, model=model).events(ask(top_logprobs=2))
        assert "".join(t.text for t in final.output.tokens) == TEXT  # type: ignore[union-attr]
        for token in final.output.tokens:  # type: ignore[union-attr]
            assert token.logprob == -0.1 and [a.logprob for a in token.alternatives] == [-0.1, -2.5]


def test_output_is_passed_on_as_it_comes(case: Hosted) -> None:
    case.fake.act = Act(chunks=case.dialect.opening(), after="hang")
    run = case.engine.generate(case.model, ask(), settings=case.settings)
    first = next(e for e in run if isinstance(e, Partial) and e.text)
    assert TEXT.startswith(first.text)
    run.close()
    assert case.fake.closed.wait(2)


def test_a_text_model_is_given_no_pictures() -> None:
    with hosted(of("openai_compatible")) as made:
        case = replace(made, model="deepseek:deepseek-chat")
        keyed = case.settings.with_session_keys({"DEEPSEEK_API_KEY": KEY})  # type: ignore[union-attr]
        with pytest.raises(InvalidRequest, match="text only"):
            replace(case, settings=keyed).events(ask(messages=(Message("user", "What is this?", (PICTURE,)),)))
        assert not made.fake.asked


def test_prices_are_list_prices_and_the_unpriced_is_none() -> None:
    for dialect, priced in ((of("anthropic"), True), (of("google"), True), (of("openai"), True)):
        with hosted(dialect) as case:
            *_, final = case.events()
            assert (final.receipt.cost_usd is not None) == priced, dialect.backend  # type: ignore[union-attr]
            assert final.receipt.cost_usd != 0  # type: ignore[union-attr]
    with hosted(of("openai_compatible")) as case:
        *_, final = case.events()
        assert final.receipt.cost_usd is None and "unpriced" in final.receipt.cost_note  # type: ignore[union-attr]


def test_settings_that_thinking_rules_out_are_named_and_not_sent() -> None:
    with hosted(of("anthropic"), Act(chunks=of("anthropic").answer(thinking=True))) as case:
        *_, final = case.events(ask(reasoning_effort="high", temperature=0.37, max_tokens=8000))
        assert "temperature" in final.receipt.unhonoured  # type: ignore[union-attr]
        assert "temperature" not in final.receipt.settings  # type: ignore[union-attr]
        sent = case.fake.asked[0].body
        assert "temperature" not in sent and sent["thinking"]["budget_tokens"] < sent["max_tokens"] == 8000


def test_no_seed_is_claimed_where_none_is_taken() -> None:
    for backend, kind in (("openai", "none"), ("anthropic", "none"), ("google", "best-effort")):
        with hosted(of(backend)) as case:
            *_, final = case.events()
            assert final.receipt.seed_kind == kind  # type: ignore[union-attr]
            assert (final.receipt.seed is None) == (kind == "none")  # type: ignore[union-attr]
