"""What is peculiar to one provider: how its settings are written, how it thinks, how it reports trouble."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from shared.errors import (
    ContentFiltered,
    ContextOverflow,
    InvalidRequest,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
)
from shared.events import Final
from shared.receipts import Receipt
from shared.retries import RetryPolicy
from shared.settings import Secret
from tests.support.fake_server import Act
from tests.support.hosted import KEY, Hosted, ask, engine_for, hosted
from tests.support.protocols import BY_BACKEND, WORDS, data, named

SCHEMA = {"type": "object", "properties": {"colour": {"type": "string"}}}
FORM = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}}


@contextmanager
def model(name: str, act: Act | None = None) -> Iterator[Hosted]:
    """A case for the model `backend:name`, or for `endpoint:name` of a server that is a row of a table."""
    provider = name.partition(":")[0]
    dialect = BY_BACKEND.get(provider) or replace(BY_BACKEND["openai_compatible"], url_name=provider)  # type: ignore[type-var]
    with hosted(dialect, act) as made:
        keys = {**made.engine.settings.server_keys, f"{provider.upper()}_API_KEY": Secret(KEY)}
        settings = replace(made.engine.settings, server_keys=keys)
        yield replace(made, model=name, settings=settings, engine=engine_for(settings))


def sent(name: str, **settings: Any) -> tuple[dict[str, Any], Receipt]:
    """The body that a run with these settings sends, and its receipt."""
    with model(name) as case:
        *_, final = case.events(ask(**settings))
        assert isinstance(final, Final)
        return case.fake.asked[0].body, final.receipt


# OpenAI


def test_openai_is_asked_for_its_thinking_and_to_keep_nothing() -> None:
    body, _ = sent("openai:gpt-6.1-sol", reasoning_effort="low", max_tokens=900)
    assert body["reasoning"] == {"effort": "low", "summary": "auto"}
    assert body["store"] is False and body["max_output_tokens"] == 900


def test_openai_reasoning_models_refuse_a_temperature_with_a_reason() -> None:
    body, receipt = sent("openai:gpt-6-luna", temperature=0.4)
    assert "temperature" not in body and "themselves" in receipt.unhonoured["temperature"]
    body, receipt = sent("openai:gpt-4.1-mini", temperature=0.4)
    assert body["temperature"] == 0.4 and "reasoning" not in body and not receipt.unhonoured


def test_an_effort_that_a_model_lacks_is_refused_with_those_it_has() -> None:
    with model("openai:gpt-6.1-sol") as case:
        with pytest.raises(InvalidRequest, match="low, medium, high"):
            case.events(ask(reasoning_effort="none"))
        assert not case.fake.asked
    assert sent("openai:gpt-6-luna", reasoning_effort="none")[0]["reasoning"]["effort"] == "none"


def test_openai_answers_without_its_thoughts_where_it_may_not_show_them() -> None:
    with model("openai:gpt-6.1-sol") as case:
        said = {"message": "Your organization must be verified", "param": "reasoning.summary", "code": "unsupported"}
        case.fake.script = [Act(status=400, body={"error": said})]
        *_, final = case.events(ask(reasoning_effort="low"))
        assert "summary" not in case.fake.asked[1].body["reasoning"]
        assert "verified" in final.receipt.extra["thinking"]  # type: ignore[union-attr]


def test_openai_takes_a_schema_in_its_own_form() -> None:
    body, _ = sent("openai:gpt-6-luna", response_format=FORM)
    assert body["text"]["format"] == {"type": "json_schema", "name": "answer", "schema": SCHEMA}


def test_an_answer_that_fails_midway_at_openai_is_told() -> None:
    error = {"code": "server_error", "message": "The model tripped"}
    whole = {"id": "r", "object": "response", "model": "gpt-6-luna", "status": "failed", "output": [], "error": error}
    failed = named({"type": "response.failed", "sequence_number": 9, "response": whole})
    with (
        model("openai:gpt-6-luna", Act(chunks=(*BY_BACKEND["openai"].opening(), *failed))) as case,
        pytest.raises(ProviderUnavailable, match="tripped") as caught,
    ):
        case.events()
    assert caught.value.partial is not None and caught.value.partial.output.text == "".join(WORDS[:2])


def test_a_spent_quota_is_not_tried_again() -> None:
    with model("openai:gpt-6-luna") as case:
        case.fake.act = BY_BACKEND["openai"].error(429, "You exceeded your quota", "insufficient_quota")
        with pytest.raises(ProviderError, match="credit is used up"):
            case.events()
        assert len(case.fake.asked) == 1


def test_an_answer_that_was_all_thinking_says_what_to_change() -> None:
    whole = {
        "id": "r", "object": "response", "model": "gpt-6-luna", "status": "incomplete", "output": [],
        "incomplete_details": {"reason": "max_output_tokens"},
    }  # fmt: skip
    end = named({"type": "response.incomplete", "sequence_number": 1, "response": whole})
    with model("openai:gpt-6-luna", Act(chunks=end)) as case, pytest.raises(InvalidRequest, match="thinking effort"):
        case.events()


# Anthropic


def test_claude_thinks_as_it_sees_fit_and_shows_a_summary() -> None:
    body, _ = sent("anthropic:claude-opus-5", reasoning_effort="high")
    assert body["thinking"] == {"type": "adaptive", "display": "summarized"}
    assert body["output_config"] == {"effort": "high"}
    assert sent("anthropic:claude-opus-5", reasoning_effort="none")[0]["thinking"] == {"type": "disabled"}
    assert sent("anthropic:claude-sonnet-5-5", reasoning_effort="none")[0]["thinking"] == {"type": "between_tools"}


def test_an_older_claude_thinks_within_a_budget_only_when_asked() -> None:
    assert "thinking" not in sent("anthropic:claude-haiku-4-5")[0]
    body, _ = sent("anthropic:claude-haiku-4-5", reasoning_effort="high", max_tokens=8000)
    assert body["thinking"] == {"type": "enabled", "budget_tokens": 4000} and body["max_tokens"] == 8000
    with model("anthropic:claude-haiku-4-5") as case, pytest.raises(InvalidRequest, match="2048"):
        case.events(ask(reasoning_effort="low", max_tokens=500))


def test_claude_samples_as_asked_only_while_it_does_not_think() -> None:
    body, receipt = sent("anthropic:claude-haiku-4-5", temperature=0.3, top_k=7)
    assert (body["temperature"], body["top_k"]) == (0.3, 7) and not receipt.unhonoured
    body, receipt = sent("anthropic:claude-haiku-4-5", temperature=0.3, reasoning_effort="low", max_tokens=4096)
    assert "temperature" not in body
    assert "doesn't think" in receipt.unhonoured["temperature"] and "temperature" not in receipt.settings


def test_of_settings_that_exclude_each_other_one_is_sent_and_the_other_named() -> None:
    body, receipt = sent("anthropic:claude-haiku-4-5", temperature=0.3, top_p=0.8)
    assert body["temperature"] == 0.3 and "top_p" not in body
    assert "one of" in receipt.unhonoured["top_p"]


def test_a_value_above_a_providers_own_bound_is_refused_before_it_is_sent() -> None:
    with model("anthropic:claude-haiku-4-5") as case:
        with pytest.raises(InvalidRequest, match="up to 1"):
            case.events(ask(temperature=1.4))
        assert not case.fake.asked


def test_an_older_claude_continues_an_answer_that_was_begun() -> None:
    body, _ = sent("anthropic:claude-haiku-4-5", prefill="Its colour is ")
    assert body["messages"][-1] == {"role": "assistant", "content": "Its colour is"}
    body, receipt = sent("anthropic:claude-opus-5", prefill="Its colour is ")
    assert body["messages"][-1]["role"] == "user" and "prefill" in receipt.unhonoured


def test_claude_being_overloaded_in_mid_answer_is_told() -> None:
    trouble = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    chunks = (*BY_BACKEND["anthropic"].opening(), *named(trouble))
    with (
        model("anthropic:claude-haiku-4-5", Act(chunks=chunks)) as case,
        pytest.raises(ProviderUnavailable, match="Overloaded") as caught,
    ):
        case.events()
    assert caught.value.partial is not None


# Google


def test_gemini_is_asked_for_its_thoughts_at_a_level_or_within_a_budget() -> None:
    config = sent("google:gemini-3.8-flash", reasoning_effort="low")[0]["generationConfig"]
    assert config["thinkingConfig"] == {"include_thoughts": True, "thinking_level": "LOW"}
    with model("google:gemini-2.5-flash") as case:
        case.events(ask(reasoning_effort="none"))
        config = case.fake.asked[0].body["generationConfig"]
        assert config["thinkingConfig"] == {"include_thoughts": True, "thinking_budget": 0}


def test_gemini_takes_a_schema_and_top_k() -> None:
    config = sent("google:gemini-3.8-flash", response_format=FORM, top_k=5)[0]["generationConfig"]
    assert config["responseMimeType"] == "application/json" and config["responseJsonSchema"] == SCHEMA
    assert config["topK"] == 5


def test_a_prompt_that_google_blocks_is_told() -> None:
    blocked = data({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}})
    with (
        model("google:gemini-3.8-flash", Act(chunks=blocked)) as case,
        pytest.raises(ContentFiltered, match="PROHIBITED_CONTENT"),
    ):
        case.events()


def test_googles_wait_stands_in_the_body() -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34s"}]
    error = {"code": 429, "message": "slow", "status": "RESOURCE_EXHAUSTED", "details": details}
    act = Act(status=429, body={"error": error})
    with model("google:gemini-3.8-flash", act) as case, pytest.raises(RateLimited) as caught:
        replace(case, engine=engine_for(case.engine.settings, RetryPolicy(attempts=1))).events()
    assert caught.value.retry_after == 34


# OpenAI-compatible servers and Hugging Face


def test_a_server_gets_our_settings_under_its_own_names() -> None:
    body, _ = sent("vllm:m", top_k=5, repetition_penalty=1.2)
    assert (body["top_k"], body["repetition_penalty"]) == (5, 1.2)
    body, _ = sent("llamacpp:m", repetition_penalty=1.2, grammar='root ::= "x"')
    assert (body["repeat_penalty"], body["grammar"]) == (1.2, 'root ::= "x"')
    body, receipt = sent("mistral:m", seed=9)
    assert body["random_seed"] == 9 and "seed" not in body and receipt.seed == 9


def test_a_server_continues_an_answer_that_was_begun() -> None:
    body, _ = sent("vllm:m", prefill="Its colour is")
    assert body["messages"][-1] == {"role": "assistant", "content": "Its colour is"}
    assert body["continue_final_message"] is True and body["add_generation_prompt"] is False


def test_a_server_of_this_machine_needs_no_key() -> None:
    with model("ollama:m") as case:
        bare = replace(case.engine.settings, server_keys={})
        *_, final = replace(case, settings=bare).events()
        assert final.receipt.extra["provider"] == "Ollama"  # type: ignore[union-attr]


def test_visitors_of_a_public_server_use_its_own_servers_only_where_it_says_so() -> None:
    with model("ollama:m") as case:
        hidden = replace(case.engine.settings, public=True, base_urls={})
        spec = case.engine.find("ollama:m")
        assert "OLLAMA_BASE_URL" in case.engine.plan(spec, settings=hidden).refused[0].reason
        shown = replace(case.engine.settings, public=True)
        assert not case.engine.plan(spec, settings=shown).refused


def test_an_offline_server_asks_only_its_own_machine() -> None:
    with model("groq:m") as case:
        offline = replace(case.engine.settings, offline=True)
        assert not case.engine.plan(case.engine.find("groq:m"), settings=offline).refused
        away = replace(offline, base_urls={})
        assert "offline" in case.engine.plan(case.engine.find("groq:m"), settings=away).refused[0].reason


def test_hugging_faces_router_is_told_the_provider_and_the_run_is_priced_by_it() -> None:
    with model("huggingface:openai/gpt-oss-20b") as case:
        spec = case.engine.find(case.model)
        groq = replace(spec, id="by-groq", variants=(replace(spec.variants[0], options={"provider": "groq"}),))
        case.engine.catalog = case.engine.catalog.with_models([groq])
        served = case.dialect.answer()
        case.fake.act = Act(chunks=tuple(c.replace("some/model", "openai/gpt-oss-20b") for c in served))
        *_, final = replace(case, model="by-groq").events(ask(response_format=FORM))
        body = case.fake.asked[0].body
        assert body["model"] == "openai/gpt-oss-20b:groq" and body["response_format"] == FORM
        assert final.receipt.cost_usd  # type: ignore[union-attr]
        assert final.receipt.extra["inference_provider"] == "groq"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("said", "limit", "needed"),
    [
        ("This model's maximum context length is 8192 tokens. However, you sent 9000 tokens.", 8_192, 9_000),
        ("prompt is too long: 210000 tokens > 200000 maximum", 200_000, 210_000),
        ("The input token count (1050000) exceeds the maximum number of tokens (1,048,576).", 1_048_576, 1_050_000),
        ("gpt-6-2026-01-02: maximum context length is 500 tokens, you sent 600", 500, 600),
    ],
)
def test_a_conversation_too_long_is_told_with_both_numbers(said: str, limit: int, needed: int) -> None:
    with model("openai:gpt-6-luna", BY_BACKEND["openai"].error(400, said)) as case:
        with pytest.raises(ContextOverflow) as caught:
            case.events()
        assert (caught.value.limit, caught.value.needed) == (limit, needed)
