"""Providers' own lists of models, asked by the real SDKs of local servers and merged with the catalogue."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.catalog import Catalog, ModelSpec, Variant
from shared.provider_models import refresh
from shared.settings import Secret, Settings
from shared.tasks import Task
from tests.support.fake_server import Act, FakeServer, serving
from tests.support.hosted import KEY

SOON = (datetime.now(UTC) + timedelta(days=40)).date().isoformat()
PAST = (datetime.now(UTC) - timedelta(days=40)).date().isoformat()


def openai_list(*models: dict[str, Any]) -> Act:
    rows = [{"object": "model", "created": 1, "owned_by": "openai", **model} for model in models]
    return Act(body={"object": "list", "data": rows})


def anthropic_list(*models: dict[str, Any]) -> Act:
    base = {"type": "model", "created_at": "2026-01-01T00:00:00Z", "lifecycle": "active", "max_input_tokens": 777_000}
    rows = [{**base, **model} for model in models]
    return Act(body={"data": rows, "has_more": False, "first_id": None, "last_id": None})


def google_list(*names: str) -> Act:
    rows = [
        {
            "name": f"models/{name}",
            "displayName": name.title(),
            "inputTokenLimit": 555_000,
            "supportedGenerationMethods": ["embedContent" if "embedding" in name else "generateContent"],
        }
        for name in names
    ]
    return Act(body={"models": rows})


ADDRESSES = {
    "openai": ("/v1", "OPENAI_API_KEY"),
    "anthropic": ("", "ANTHROPIC_API_KEY"),
    "google": ("", "GEMINI_API_KEY"),
    "groq": ("/openai/v1", "GROQ_API_KEY"),
    "hf": ("/v1", "HF_TOKEN"),
}


@contextmanager
def providers(acts: dict[str, Act], **more: Any) -> Iterator[tuple[Settings, dict[str, FakeServer]]]:
    """Settings aimed at one server for each provider, with keys for these alone."""
    with ExitStack() as stack:
        fakes = {name: stack.enter_context(serving(act)) for name, act in acts.items()}
        settings = Settings(
            base_urls={name: fake.url + ADDRESSES[name][0] for name, fake in fakes.items()} | local_and_closed(),
            server_keys={ADDRESSES[name][1]: Secret(KEY) for name in acts},
            connect_timeout=5.0,
        )
        yield replace(settings, **more), fakes


def local_and_closed() -> dict[str, str]:
    """Servers of this machine that aren't running, wherever the tests run."""
    return dict.fromkeys(("vllm", "llamacpp", "ollama", "lmstudio"), "http://127.0.0.1:9/v1")


def spec(model_id: str, backend: str, **more: Any) -> ModelSpec:
    variant = Variant(backend=backend, repo_id=model_id.partition(":")[2])
    return ModelSpec(id=model_id, name="As listed", task=Task.CHAT, license="x", variants=(variant,), **more)


def test_what_is_new_is_added_under_the_providers_name() -> None:
    acts = {
        "openai": openai_list({"id": "gpt-9-nova"}, {"id": "text-embedding-9"}, {"id": "gpt-image-9"}),
        "anthropic": anthropic_list({"id": "claude-nova-9", "display_name": "Claude Nova 9"}),
        "google": google_list("gemini-9-flash", "gemini-embedding-9", "gemini-9-flash-tts"),
        "groq": Act(body={"data": [{"id": "new/chat-9", "context_window": 333_000}, {"id": "whisper-large-v9"}]}),
    }
    with providers(acts) as (settings, fakes):
        catalog, errors = refresh(Catalog([]), settings)
        assert errors == {}
        assert {s.id for s in catalog} == {
            "openai:gpt-9-nova",
            "anthropic:claude-nova-9",
            "google:gemini-9-flash",
            "groq:new/chat-9",
        }
        assert catalog.get("anthropic:claude-nova-9").context_length == 777_000
        assert catalog.get("google:gemini-9-flash").context_length == 555_000
        assert catalog.get("groq:new/chat-9").context_length == 333_000
        assert all(KEY in str(fake.asked[0].headers) for fake in fakes.values())


def test_catalogue_entries_keep_their_ids_and_learn_of_their_end() -> None:
    known = [spec("openai:gpt-8", "openai", successor="openai:gpt-9"), spec("openai:gpt-9", "openai")]
    known.append(spec("anthropic:claude-8", "anthropic"))
    acts = {
        "openai": openai_list({"id": "gpt-8", "shutdown_date": PAST}, {"id": "gpt-9", "shutdown_date": SOON}),
        "anthropic": anthropic_list({"id": "claude-8", "display_name": "Claude 8", "lifecycle": "retired"}),
    }
    with providers(acts) as (settings, _):
        catalog, errors = refresh(Catalog(known), settings)
    assert errors == {} and [s.id for s in catalog] == ["openai:gpt-8", "openai:gpt-9", "anthropic:claude-8"]
    assert catalog.get("openai:gpt-8").retired and catalog.get("openai:gpt-8").successor == "openai:gpt-9"
    assert not catalog.get("openai:gpt-9").retired and SOON in catalog.get("openai:gpt-9").summary
    assert catalog.get("anthropic:claude-8").retired
    assert catalog.get("openai:gpt-9").name == "As listed"


def test_a_model_that_has_ended_is_not_added() -> None:
    with providers({"openai": openai_list({"id": "gpt-7", "shutdown_date": PAST})}) as (settings, _):
        catalog, _errors = refresh(Catalog([]), settings)
    assert not list(catalog)


def test_one_provider_that_fails_spoils_nothing_for_the_others() -> None:
    refusal = Act(status=401, body={"error": {"message": f"bad key {KEY}", "code": "invalid_api_key"}})
    acts = {
        "openai": refusal,
        "anthropic": Act(status=500, body="<html>oops</html>"),
        "google": google_list("gemini-9-flash"),
        "groq": Act(body="this is no JSON"),
    }
    with providers(acts) as (settings, _):
        catalog, errors = refresh(Catalog([]), settings)
    assert [s.id for s in catalog] == ["google:gemini-9-flash"]
    assert set(errors) == {"openai", "anthropic", "groq"}
    assert "refused the key" in errors["openai"] and KEY not in str(errors)
    assert all(len(text) > 10 for text in errors.values())


def test_a_provider_that_hangs_is_given_up() -> None:
    acts = {"openai": Act(before="hang"), "google": google_list("gemini-9-flash")}
    with providers(acts, connect_timeout=0.7) as (settings, fakes):
        started = time.monotonic()
        catalog, errors = refresh(Catalog([]), settings)
        assert time.monotonic() - started < 5
        assert fakes["openai"].closed.wait(1)
    assert set(errors) == {"openai"} and [s.id for s in catalog] == ["google:gemini-9-flash"]


def test_without_a_key_nobody_is_asked() -> None:
    with providers({"openai": openai_list({"id": "gpt-9"})}) as (settings, fakes):
        catalog, errors = refresh(Catalog([]), replace(settings, server_keys={}))
        assert not fakes["openai"].asked
    assert errors == {} and not list(catalog)


def test_a_session_key_is_enough() -> None:
    with providers({"openai": openai_list({"id": "gpt-9"})}) as (settings, fakes):
        session = replace(settings, server_keys={}).with_session_keys({"OPENAI_API_KEY": "sk-mine-0123456789"})
        catalog, _errors = refresh(Catalog([]), session)
        assert "sk-mine-0123456789" in str(fakes["openai"].asked[0].headers)
    assert [s.id for s in catalog] == ["openai:gpt-9"]
