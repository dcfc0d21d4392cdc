"""The rows of models and providers that speak say only what the code can do, and all that a person must know."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from shared.audio.voices import _rows, row, voices
from shared.backends import BACKENDS, get_backend
from shared.backends.endpoints import ENDPOINTS
from shared.backends.endpoints import PROVIDERS as CHAT_PROVIDERS
from shared.backends.hosted.speaking import PROVIDERS, SPEAKERS, SpeakingProfile
from shared.catalog import ModelSpec, load_catalog
from shared.catalog.custom import resolve
from shared.errors import InvalidRequest
from shared.requests import SpeechRequest
from shared.settings import Settings
from shared.tasks import Mode, Task
from shared.weights import PICKLES

MODELS = load_catalog().for_task(Task.TEXT_TO_SPEECH)
FIELDS = {field.name for field in dataclasses.fields(SpeechRequest)}
SETTINGS = FIELDS - SpeechRequest.CONTENT | set(SpeechRequest.ESSENTIAL)
PROFILES = [
    pytest.param(profile, id=f"{name}-{number}")
    for name, speaker in SPEAKERS.items()
    for number, profile in enumerate([speaker.default, *(profile for _, profile in speaker.models)])
]


@pytest.mark.parametrize("spec", MODELS, ids=lambda spec: spec.id)
def test_a_model_says_what_it_is_and_its_defaults_can_be_followed(spec: ModelSpec) -> None:
    assert spec.name and spec.license.strip() and spec.variants
    assert set(spec.defaults) <= SETTINGS
    SpeechRequest(text="Hello.", **spec.defaults).validate()
    if spec.retired:
        assert spec.successor in {other.id for other in MODELS if not other.retired}
        return
    assert len(spec.summary) > 10
    for variant in spec.variants:
        capabilities = get_backend(variant.backend).capabilities(variant)
        assert set(spec.defaults) <= capabilities.parameters
        known = [voice.id for voice in capabilities.voices]
        assert len(known) == len(set(known))
        if known and "voice" in spec.defaults:
            assert spec.defaults["voice"] in known


@pytest.mark.parametrize("spec", MODELS, ids=lambda spec: spec.id)
def test_a_way_to_run_it_can_be_understood(spec: ModelSpec) -> None:
    keys = [variant.key for variant in spec.variants]
    assert len(keys) == len(set(keys))
    for variant in spec.variants:
        assert variant.backend in BACKENDS and variant.repo_id
        assert variant.revision is None or re.fullmatch(r"[0-9a-f]{40}", variant.revision)
        assert not variant.filename or Path(variant.filename).suffix not in PICKLES
        assert variant.options.get("voices", "hibari") in _rows()
        if variant.mode != Mode.HOSTED:
            assert variant.memory_gb > 0 and (variant.options.get("package") or variant.download_gb > 0)
            assert variant.memory_gb >= variant.download_gb, "the weights alone take more"


def test_one_starter_is_first_and_needs_no_download() -> None:
    assert [spec.id for spec in MODELS if spec.starter] == [MODELS[0].id]
    assert all(variant.options.get("package") for variant in MODELS[0].variants)


@pytest.mark.parametrize("profile", PROFILES)
def test_a_provider_names_settings_that_there_are_and_gives_reasons_for_the_rest(profile: SpeakingProfile) -> None:
    assert profile.takes <= SETTINGS and set(profile.why_not) <= SETTINGS
    assert not profile.takes & set(profile.why_not)
    assert all(len(reason) > 10 and reason.endswith(".") for reason in profile.why_not.values())
    assert ("seed" in profile.takes) == (profile.seed != "none")
    assert "instructions" not in profile.takes or profile.style
    assert profile.most >= 100 and 8000 <= profile.rate <= 48_000


def test_every_provider_that_speaks_is_known() -> None:
    assert set(SPEAKERS) <= {*ENDPOINTS, *CHAT_PROVIDERS, *PROVIDERS}


@pytest.mark.parametrize("listed", _rows())
def test_the_voices_of_a_list_differ_and_are_found_by_id_or_name(listed: str) -> None:
    known = voices(listed)
    assert len({voice.id for voice in known}) == len(known) and all(voice.name and voice.language for voice in known)
    for voice in known:
        assert row(listed, voice.id.upper())["id"] == row(listed, voice.name)["id"] == voice.id
    assert row(listed, None)["id"] == known[0].id
    with pytest.raises(InvalidRequest, match="no voice called"):
        row(listed, "nobody")


@pytest.mark.parametrize(
    ("text", "backends"),
    [
        ("openai:gpt-4o-mini-tts", ["openai_speech"]),
        ("google:gemini-9-tts", ["google_speech"]),
        ("elevenlabs:some-model", ["elevenlabs"]),
        ("groq:some/tts", ["openai_compatible_speech"]),
        ("kokoro@http://127.0.0.1:8880/v1", ["openai_compatible_speech"]),
        ("hexgrad/Kokoro-82M", ["huggingface_speech"]),
    ],
)
def test_a_model_named_by_hand_is_found_for_speech(text: str, backends: list[str]) -> None:
    spec = resolve(text, Settings(), Task.TEXT_TO_SPEECH)
    assert spec is not None and spec.task == Task.TEXT_TO_SPEECH
    assert [v.backend for v in spec.variants if v.backend != "transformers_speech"] == backends
