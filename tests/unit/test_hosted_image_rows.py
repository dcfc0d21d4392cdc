"""The rows that describe hosted pictures can all be used, and a model named by hand is resolved for its task."""

from __future__ import annotations

import dataclasses
from math import isclose

import pytest

from shared import pricing
from shared.backends import BACKENDS, get_backend
from shared.backends.base import Usage
from shared.backends.endpoints import ENDPOINTS, PROVIDERS
from shared.backends.hosted.drawing import DRAWERS, SERVERS, DrawingProfile
from shared.backends.hosted.sizes import FreeSizes
from shared.catalog import Catalog, ModelSpec, Variant, load_catalog
from shared.catalog.custom import resolve
from shared.engine import Engine
from shared.errors import UnknownModel
from shared.requests import ImageRequest
from shared.settings import Settings
from shared.tasks import Mode, Task
from tests.support.fakes import SMALL

MODELS = load_catalog().for_task(Task.TEXT_TO_IMAGE)
HOSTED = [(spec, v) for spec in MODELS for v in spec.variants if v.mode == Mode.HOSTED]
FIELDS = {f.name for f in dataclasses.fields(ImageRequest)} - ImageRequest.CONTENT
PRICED = {"openai_images": "openai", "google_images": "google"}


def test_there_are_hosted_models_of_every_kind() -> None:
    kinds = {v.backend for _, v in HOSTED}
    assert {"openai_images", "google_images", "huggingface_images", "openai_compatible_images", "a1111"} <= kinds


@pytest.mark.parametrize(("spec", "variant"), HOSTED, ids=[f"{s.id}-{v.backend}" for s, v in HOSTED])
def test_a_row_can_be_used(spec: ModelSpec, variant: Variant) -> None:
    capabilities = get_backend(variant.backend).capabilities(variant)
    assert variant.repo_id and spec.license
    assert set(spec.defaults) <= capabilities.parameters
    if spec.retired:
        assert spec.successor in {other.id for other in MODELS if not other.retired}
    else:
        assert len(spec.summary) > 10


@pytest.mark.parametrize(
    "variant", [v for s, v in HOSTED if v.backend in PRICED and not s.retired], ids=lambda v: v.repo_id
)
def test_the_big_providers_pictures_have_a_price(variant: Variant) -> None:
    usage = Usage(input_tokens=50, output_tokens=1100, output_image_tokens=1000)
    cost = pricing.price(PRICED[variant.backend], variant.repo_id, usage)
    assert cost.usd is not None and 0.005 < cost.usd < 0.2


def test_pictures_cost_more_than_words() -> None:
    def cost(**pictures: int) -> float:
        usage = Usage(input_tokens=1000, output_tokens=1000, **pictures)
        found = pricing.price("google", "gemini-3.1-flash-image", usage).usd
        assert found is not None
        return found

    assert cost(output_image_tokens=1000) > 3 * cost()
    assert isclose(cost(output_image_tokens=0), cost())


ROWS = [(name, p) for name, d in DRAWERS.items() for p in (d.default, *(profile for _, profile in d.models))]


@pytest.mark.parametrize(("name", "profile"), ROWS, ids=[f"{n}-{i}" for i, (n, _) in enumerate(ROWS)])
def test_a_drawers_row_speaks_of_settings_that_there_are(name: str, profile: DrawingProfile) -> None:
    assert name in {**ENDPOINTS, **PROVIDERS, **SERVERS}
    assert {*profile.takes, *profile.why_not, *profile.limits} <= FIELDS
    assert ("seed" in profile.takes) == (profile.seed != "none")
    assert all(len(reason) > 10 for reason in profile.why_not.values())
    assert set(profile.sent_as) <= FIELDS | {"image", "images"}
    assert profile.size(None, None) is None
    for width, height in ((512, 512), (16, 4096), (4096, 16), (1920, 1080)):
        size = profile.size(width, height)
        assert size is not None and size.name and size.width > 0 and size.height > 0
    square = profile.size(1024, None)
    assert square is not None and square.width == square.height == 1024


def test_a_free_size_keeps_all_bounds_at_once() -> None:
    free = FreeSizes(multiple=16, longest=3840, ratio=3.0, pixels=(655_360, 8_294_400))
    sides = [16, 100, 511, 512, 777, 1024, 1536, 2160, 3001, 3840, 4096]
    for width in sides:
        for height in sides:
            size = free.nearest(width, height)
            assert size.width % 16 == size.height % 16 == 0
            assert max(size.width, size.height) <= 3840
            assert max(size.width, size.height) <= 3 * min(size.width, size.height)
            assert 655_360 <= size.width * size.height <= 8_294_400, (width, height, size)
            fits = width % 16 == height % 16 == 0 and 655_360 <= width * height <= 8_294_400
            if fits and max(width, height) <= min(3840, 3 * min(width, height)):
                assert (size.width, size.height) == (width, height)


@pytest.mark.parametrize(
    ("text", "backends"),
    [
        ("openai:gpt-image-2", ["openai_images"]),
        ("google:gemini-3-pro-image", ["google_images"]),
        ("huggingface:a/b", ["huggingface_images"]),
        ("together:a/b", ["openai_compatible_images"]),
        ("a1111:coast_v2", ["a1111"]),
        ("m@http://127.0.0.1:8000/v1", ["openai_compatible_images"]),
        ("owner/name", ["diffusers", "huggingface_images"]),
        ("/srv/models/mine", ["diffusers"]),
    ],
)
def test_a_model_named_by_hand_is_resolved_for_its_task(text: str, backends: list[str]) -> None:
    spec = Engine(Catalog([]), Settings(), SMALL).find(text, task=Task.TEXT_TO_IMAGE)
    assert spec.task == Task.TEXT_TO_IMAGE and spec.id == text and not spec.defaults
    assert [v.backend for v in spec.variants] == backends
    assert set(backends) <= set(BACKENDS)


@pytest.mark.parametrize("text", ["anthropic:claude-opus-5-5", "nobody:model", "", "gpt", "owner/name/file.gguf"])
def test_what_draws_nothing_is_no_model_for_pictures(text: str) -> None:
    with pytest.raises(UnknownModel):
        Engine(Catalog([]), Settings(public=True), SMALL).find(text, task=Task.TEXT_TO_IMAGE)


def test_a_task_that_nothing_runs_by_hand_yet_has_no_model() -> None:
    assert resolve("owner/name", Settings(), Task.IMAGE_TO_IMAGE) is None
    chat = resolve("owner/name", Settings())
    assert chat is not None and chat.task == Task.CHAT
