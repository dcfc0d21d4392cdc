"""The rows that describe hosted clips can all be used, and a model named by hand is resolved for its task."""

from __future__ import annotations

import dataclasses

import pytest

from shared import pricing
from shared.backends import BACKENDS, get_backend
from shared.backends.hosted.clips import MAKERS, PROVIDERS, ClipProfile
from shared.catalog import ModelSpec, Variant, load_catalog
from shared.catalog.custom import resolve
from shared.engine import Engine
from shared.errors import InvalidRequest
from shared.requests import ImagePart, VideoRequest
from shared.settings import Settings
from shared.tasks import Mode, Task
from shared.ui.keys_panel import name_of
from tests.support.fakes import SMALL
from tests.support.protocols_video import picture

MODELS = load_catalog().for_task(Task.TEXT_TO_VIDEO)
HOSTED = [(spec, v) for spec in MODELS for v in spec.variants if v.mode == Mode.HOSTED]
FIELDS = {f.name for f in dataclasses.fields(VideoRequest)}
PROFILES = [
    (f"{name} {patterns}", p) for name, maker in MAKERS.items() for patterns, p in (("*", maker.default), *maker.models)
]
VEO = "google:veo-3.1-generate-preview"
START = ImagePart(picture(), "image/png")


def test_there_are_hosted_models_of_every_kind() -> None:
    kinds = {v.backend for _, v in HOSTED}
    assert {
        *("google_video", "runway_video", "fal_video", "replicate_video"),
        *("huggingface_video", "openai_compatible_video"),
    } <= kinds


@pytest.mark.parametrize(("spec", "variant"), HOSTED, ids=[f"{s.id}-{v.backend}" for s, v in HOSTED])
def test_a_row_can_be_used(spec: ModelSpec, variant: Variant) -> None:
    capabilities = get_backend(variant.backend).capabilities(variant)
    assert variant.repo_id and spec.license and len(spec.summary) > 10
    assert set(spec.defaults) <= capabilities.parameters and capabilities.jobs and capabilities.clips
    if spec.retired:
        assert spec.successor in {other.id for other in MODELS if not other.retired}
    elif spec.defaults.get("duration") and capabilities.clips.durations:
        assert spec.defaults["duration"] in capabilities.clips.durations


@pytest.mark.parametrize(("name", "profile"), PROFILES, ids=[name for name, _ in PROFILES])
def test_a_profile_names_settings_that_there_are(name: str, profile: ClipProfile) -> None:
    assert profile.takes <= FIELDS and set(profile.why_not) <= FIELDS and set(profile.sent_as) <= FIELDS
    size = profile.size(VideoRequest(prompt="a", width=1280, height=720))
    assert (size is None) == ("width" not in profile.takes) or profile.sizes
    if profile.durations:
        assert profile.usual in profile.durations
    assert profile.every >= 1


def test_each_price_is_of_a_model_in_the_list_and_has_a_source() -> None:
    listed = {(v.backend.removesuffix("_video"), v.repo_id) for _, v in HOSTED}
    listed |= {("google", "gemini-omni-flash-preview")}
    for row in pricing._rows():
        assert {(row["provider"], model) for model in row["match"]} <= listed
        assert row["source"].startswith("https://") and str(row["seen"]) >= "2026-11-25"


def test_those_that_are_gone_say_what_to_use() -> None:
    engine = Engine(load_catalog(), Settings(), SMALL)
    for model, words in (("openai:sora-2", "was retired"), ("pika", "no API"), (VEO, "was retired")):
        spec = engine.catalog.get(model)
        (refused,) = engine.plan(spec).refused
        assert words in refused.reason and spec.successor and spec.successor in refused.reason


@pytest.mark.parametrize(
    ("text", "backend"),
    [
        ("google:gemini-omni-9", "google_video"),
        ("runway:gen5", "runway_video"),
        ("fal:fal-ai/some/model", "fal_video"),
        ("replicate:owner/some-model:9dcd6d78", "replicate_video"),
        ("huggingface:owner/name", "huggingface_video"),
        ("vllm:wan", "openai_compatible_video"),
        ("wan@http://127.0.0.1:9/v1", "openai_compatible_video"),
    ],
)
def test_a_model_named_by_hand_is_found(text: str, backend: str) -> None:
    spec = resolve(text, Settings(), Task.TEXT_TO_VIDEO)
    assert spec is not None and spec.variants[0].backend == backend
    hub = resolve("owner/name", Settings(), Task.TEXT_TO_VIDEO)
    assert hub is not None and [v.mode for v in hub.variants][-1] == Mode.HOSTED


def test_a_first_picture_gives_the_shape_at_the_price_of_the_smallest() -> None:
    omni, runway = MAKERS["google"].profile("gemini-omni-1.1-flash"), MAKERS["runway"].profile("gen4.5")
    wide = omni.size(VideoRequest(prompt="a", image=START))
    assert wide is not None and (wide.name, wide.scale) == ("16:9", "720p")
    large = omni.size(VideoRequest(prompt="a", width=3840, height=2160))
    assert large is not None and large.scale == "4k"
    square = runway.size(VideoRequest(prompt="a", image=START, width=960, height=960))
    assert square is not None and square.name == "960:960"


def test_pictures_that_are_missing_are_told_before_the_run() -> None:
    engine = Engine(load_catalog(), Settings(server_keys={}), SMALL).with_catalog(None)
    backend = get_backend("runway_video")
    settings = Settings().with_session_keys({"RUNWAYML_API_SECRET": "k"})
    for model, request, words in (
        ("gen4_turbo", VideoRequest(prompt="a"), "needs a first one"),
        ("veo3.1", VideoRequest(prompt="a", last_image=START, duration=4.0), "first one only"),
    ):
        with pytest.raises(InvalidRequest, match=words):
            backend.quote(Variant(backend="runway_video", repo_id=model), settings, request)  # type: ignore[attr-defined]
    assert engine.jobs.store.of("me") == []


def test_their_keys_have_names() -> None:
    assert [name_of(each.env_var or "") for each in PROVIDERS.values()] == ["Runway", "fal", "Replicate", "Tripo"]
    assert {"Runway", "fal", "Replicate", "Tripo"} <= {entry.label for entry in BACKENDS.values()}
