"""Every hosted engine that draws keeps the contract: the real SDKs against a server that plays the provider."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace

import pytest

from shared.backends import get_backend
from shared.errors import NoBackendAvailable
from shared.requests import ImagePart
from tests.support import contract
from tests.support.hosted import KEY, Hosted
from tests.support.hosted_images import draw, drawing, final_of, previews_of
from tests.support.pictures import encoded, pixels
from tests.support.protocols_images import IMAGE_DIALECTS, PICTURE, SECOND


@pytest.fixture(params=IMAGE_DIALECTS, ids=lambda dialect: dialect.backend)
def case(request: pytest.FixtureRequest) -> Iterator[Hosted]:
    with drawing(request.param) as made:
        yield made


def test_a_run_ends_in_one_final_with_the_providers_own_bytes(case: Hosted) -> None:
    final = final_of(case.events())
    (image,) = final.output.images
    assert image == ImagePart(PICTURE, "image/png")
    assert final.output.finish_reason == "stop"
    receipt = final.receipt
    assert receipt.backend == case.dialect.backend and receipt.versions
    assert receipt.mode == "hosted" and receipt.memory_gb is None
    assert (receipt.extra["width"], receipt.extra["height"]) == (64, 48)


def test_a_jpeg_is_called_one(case: Hosted) -> None:
    case.fake.act = case.dialect.answer(SECOND)  # type: ignore[arg-type]
    (image,) = final_of(case.events()).output.images
    assert image == ImagePart(SECOND, "image/jpeg")


def test_events_pickle(case: Hosted) -> None:
    contract.events_pickle(case)


def test_close_may_be_called_twice(case: Hosted) -> None:
    contract.closes_twice(case)


def test_a_missing_key_is_named_and_nothing_is_sent(case: Hosted) -> None:
    if not case.dialect.env_var:
        pytest.skip("this server needs no key")
    bare = replace(case.engine.settings, server_keys={})
    contract.check_names_what_is_missing(case, bare, case.dialect.env_var)
    with pytest.raises(NoBackendAvailable, match=case.dialect.env_var):
        list(case.engine.generate(case.model, draw(), settings=bare))
    assert not case.fake.asked


@pytest.mark.parametrize("backend", sorted({d.backend for d in IMAGE_DIALECTS}))
def test_importing_the_engine_loads_nothing_heavy(backend: str) -> None:
    contract.import_is_light(backend)


def test_the_prompt_and_the_key_go_to_the_providers_path(case: Hosted) -> None:
    case.events(draw("MARK-PROMPT"))
    asked = case.fake.asked[0]
    assert asked.path == case.dialect.path
    assert "MARK-PROMPT" in asked.raw.decode()
    assert case.dialect.key_in(asked) == (KEY if case.dialect.env_var else "")


def test_nothing_of_the_environment_is_sent(case: Hosted, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "OPENAI_API_KEY",
        "GOOGLE_API_KEY",
        "GEMINI_API_KEY",
        "HF_TOKEN",
        "OPENAI_ORG_ID",
        "OPENAI_PROJECT_ID",
    ):
        monkeypatch.setenv(name, "hf_FROM-THE-ENVIRONMENT")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Mine: hf_FROM-THE-ENVIRONMENT")
    for name in ("OPENAI_BASE_URL", "GOOGLE_GEMINI_BASE_URL", "HF_INFERENCE_ENDPOINT", "HF_ENDPOINT"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/never")
    case.events()
    assert case.fake.asked
    assert all("FROM-THE-ENVIRONMENT" not in str(asked.headers) for asked in case.fake.asked)


def test_the_key_stands_in_no_receipt_and_no_log(case: Hosted, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        final = final_of(case.events())
    assert KEY not in final.receipt.to_json()
    assert KEY not in caplog.text


def test_previews_are_shown_as_they_come(case: Hosted) -> None:
    if not case.dialect.previews:  # type: ignore[attr-defined]
        pytest.skip("this provider shows no previews")
    shown = previews_of(case.events())
    assert len(shown) == case.dialect.previews  # type: ignore[attr-defined]
    assert [p.step for p in shown] in ([*range(1, len(shown) + 1)], [None] * len(shown))
    assert all(p.image.size == (20, 15) for p in shown)


def leaves(body: object) -> list[object]:
    """Every value in a request, however deep."""
    inner = body.values() if isinstance(body, dict) else body if isinstance(body, list) else None
    return [body] if inner is None else [leaf for each in inner for leaf in leaves(each)]


SETTINGS = {
    "seed": 4711,
    "negative_prompt": "MARK-NEGATIVE",
    "num_inference_steps": 17,
    "guidance_scale": 3.25,
    "scheduler": "EulerDiscreteScheduler",
    "variation_strength": 0.375,
    "width": 1024,
    "height": 1024,
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_is_either_sent_and_honoured_or_named_with_a_reason(case: Hosted, name: str) -> None:
    value = SETTINGS[name]
    variant = case.engine.find(case.model, task=draw().TASK).variants[0]
    known = name in get_backend(variant.backend).capabilities(variant).parameters
    receipt = final_of(case.events(draw(**{name: value}))).receipt
    sent = any(value in leaves(asked.body) for asked in case.fake.asked)
    if name in {"width", "height"}:  # the picture that came is of another size, which is said in any case
        assert "64 × 48" in receipt.unhonoured[name]
        return
    kept = receipt.seed == value if name == "seed" else receipt.settings.get(name) == value
    assert kept == known and (sent == known or name == "scheduler"), receipt
    assert (name in receipt.unhonoured) != kept
    assert kept or len(receipt.unhonoured[name]) > 10


def test_a_size_that_is_drawn_as_asked_is_honoured(case: Hosted) -> None:
    case.fake.act = case.dialect.answer(encoded("PNG", pixels(1024, 1024)))  # type: ignore[arg-type]
    receipt = final_of(case.events(draw(width=1024, height=1024))).receipt
    assert not {"width", "height"} & set(receipt.unhonoured)
    assert (receipt.settings["width"], receipt.settings["height"]) == (1024, 1024)


def test_no_seed_is_claimed_where_none_is_taken(case: Hosted) -> None:
    receipt = final_of(case.events()).receipt
    assert receipt.seed_kind == case.dialect.seed  # type: ignore[attr-defined]
    assert (receipt.seed is None) == (receipt.seed_kind == "none")


def test_a_strength_without_a_picture_is_named(case: Hosted) -> None:
    assert "strength" in final_of(case.events(draw(strength=0.5))).receipt.unhonoured
