"""The rows that describe hosted models: every one can be used, is priced where it says so, and names a successor."""

from __future__ import annotations

import pytest

from shared import pricing
from shared.backends import get_backend
from shared.backends.base import Usage
from shared.backends.endpoints import ENDPOINTS, PROVIDERS, Endpoint
from shared.catalog import ModelSpec, Variant, load_catalog
from shared.requests import ChatRequest, Message
from shared.settings import KEY_VARIABLES
from shared.tasks import Mode, Task

HOSTED = [(spec, v) for spec in load_catalog().for_task(Task.CHAT) for v in spec.variants if v.mode == Mode.HOSTED]
ALL = {**ENDPOINTS, **PROVIDERS}
FIELDS = set(ChatRequest(messages=(Message("user", "x"),)).__dataclass_fields__) - ChatRequest.CONTENT


def endpoint_of(variant: Variant) -> Endpoint:
    """The row of the provider that serves the variant."""
    return ALL[str(variant.options.get("endpoint", variant.backend))]


def test_there_are_hosted_models_of_every_kind() -> None:
    kinds = {v.backend for _, v in HOSTED}
    assert kinds == {"openai", "anthropic", "google", "huggingface", "openai_compatible"}


@pytest.mark.parametrize(("spec", "variant"), HOSTED, ids=[f"{s.id}-{v.backend}" for s, v in HOSTED])
def test_a_row_can_be_used(spec: ModelSpec, variant: Variant) -> None:
    capabilities = get_backend(variant.backend).capabilities(variant)
    assert set(spec.defaults) <= FIELDS
    assert endpoint_of(variant).is_chat(variant.repo_id)
    if spec.accepts_images and not spec.retired:
        assert capabilities.images
    if spec.thinks and not spec.retired:
        assert capabilities.thinking


@pytest.mark.parametrize("spec", [s for s in load_catalog() if s.retired], ids=lambda s: s.id)
def test_a_retired_model_names_a_successor_that_is_served(spec: ModelSpec) -> None:
    assert spec.successor
    assert not load_catalog().get(spec.successor).retired


@pytest.mark.parametrize(
    "variant",
    [v for s, v in HOSTED if v.backend in {"openai", "anthropic", "google"} and not s.retired],
    ids=lambda v: v.repo_id,
)
def test_the_big_providers_models_have_a_price(variant: Variant) -> None:
    cost = pricing.price(endpoint_of(variant).pricing, variant.repo_id, Usage(input_tokens=1000, output_tokens=1000))
    assert cost.usd is not None and cost.usd > 0


def test_what_nobody_prices_is_none_and_never_zero() -> None:
    usage = Usage(input_tokens=1000, output_tokens=1000)
    assert pricing.price("openai", "no-such-model-anywhere", usage).usd is None
    assert pricing.price(None, "gpt-6-luna", usage).usd is None
    assert pricing.price("openai", "gpt-6-luna", Usage()).usd is None


def test_a_cached_part_costs_less() -> None:
    plain = pricing.price("openai", "gpt-6-luna", Usage(input_tokens=10_000, output_tokens=10))
    cached = pricing.price("openai", "gpt-6-luna", Usage(input_tokens=10_000, output_tokens=10, cached_tokens=9_000))
    assert plain.usd is not None and cached.usd is not None and cached.usd < plain.usd


@pytest.mark.parametrize("endpoint", ALL.values(), ids=lambda e: e.id)
def test_a_providers_row_speaks_of_settings_that_there_are(endpoint: Endpoint) -> None:
    profiles = [endpoint.default, *(profile for _, profile in endpoint.models)]
    for profile in profiles:
        named = {*profile.takes, *profile.why_not, *profile.limits, *profile.one_of, *profile.unless_thinking}
        assert named <= FIELDS
        assert ("seed" in profile.takes) == (profile.seed != "none")
        assert all(len(reason) > 10 for reason in profile.why_not.values())
    assert set(endpoint.sent_as) <= FIELDS
    assert endpoint.env_var is None or endpoint.env_var in KEY_VARIABLES
    assert not endpoint.base_url or endpoint.base_url.startswith("http://127.0.0.1" if endpoint.local else "https://")


def test_a_run_can_be_priced_before_it_is_made() -> None:
    before = pricing.estimate("openai", "gpt-6-luna", 1000, 500)
    after = pricing.price("openai", "gpt-6-luna", Usage(input_tokens=1000, output_tokens=500))
    assert before.usd == after.usd and "at most" in before.note
    assert pricing.estimate("openai", "no-such-model-anywhere", 1000, 500).usd is None
