"""Words and pictures are looked over by the provider, by its real SDK; refusals are kind, and failures are told."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image

from shared.errors import BackendError, InvalidRequest, ProviderError
from shared.events import Event, Final, Progress
from shared.image.drawing import Drawing, drawings
from shared.image.finishing import finish
from shared.image.gate import CHECKING, gated
from shared.media.moderation import applies, look_over
from shared.outputs import ImageOutput
from shared.receipts import Receipt
from shared.requests import ImagePart, ImageRequest
from shared.settings import Secret, Settings
from shared.streaming import CancelToken
from tests.support.fake_server import Act, FakeServer, serving
from tests.support.hosted import KEY
from tests.support.moderation import asked_of, verdict
from tests.support.pictures import encoded

PICTURE = ImagePart(encoded(), "image/png")


@pytest.fixture
def fake() -> Iterator[FakeServer]:
    with serving(verdict()) as server:
        yield server


def sent(fake: FakeServer) -> list[Any]:
    return [asked.body["input"] for asked in fake.asked]


def test_what_is_sent_is_what_the_service_takes(fake: FakeServer) -> None:
    finding = look_over(("a red apple", ""), (PICTURE, PICTURE), asked_of(fake))
    assert (finding.refused, finding.words, finding.checked) == (False, "", True)
    first, second = sent(fake)
    assert [part["type"] for part in first] == ["text", "image_url"] and first[0]["text"] == "a red apple"
    assert [part["type"] for part in second] == ["image_url"], "one picture a call"
    assert second[0]["image_url"]["url"].startswith("data:image/png;base64,")
    (asked, _) = fake.asked
    assert asked.path == "/v1/moderations" and asked.body["model"] == "omni-moderation-latest"
    assert asked.headers["authorization"] == f"Bearer {KEY}"


def test_a_visitors_own_key_goes_before_the_servers(fake: FakeServer) -> None:
    look_over(("x",), (), asked_of(fake).with_session_keys({"OPENAI_API_KEY": "mine"}))
    assert fake.asked[0].headers["authorization"] == "Bearer mine"


@pytest.mark.parametrize(
    ("safety", "act", "refused"),
    [
        ("standard", verdict(("violence",)), True),
        ("standard", verdict(violence=0.6), False),
        ("strict", verdict(violence=0.6), True),
        ("strict", verdict(violence=0.1), False),
        ("off", verdict(("violence",)), False),
    ],
)
def test_it_is_as_strict_as_the_server(fake: FakeServer, safety: str, act: Act, refused: bool) -> None:
    fake.act = act
    finding = look_over(("two knights fight",), (), asked_of(fake, safety=safety))
    assert finding.refused is refused
    assert bool(fake.asked) is (safety != "off")


def test_a_refusal_is_kind_and_says_what_for(fake: FakeServer) -> None:
    fake.act = verdict(("violence", "self-harm"), violence=0.92)
    words = look_over(("…",), (), asked_of(fake)).words
    for part in (
        "violence (92%)",
        "self-harm (90%)",
        "nothing was drawn",
        "nothing wrong",
        "often mistaken",
        "helpline",
    ):
        assert part in words, part
    picture = look_over((), (PICTURE,), asked_of(fake)).words
    assert "this picture" in picture and "it is covered" in picture and "helpline" not in picture


@pytest.mark.parametrize(
    ("act", "why"),
    [
        (Act(status=500, body={"error": {"message": "broken"}}), "trouble of its own"),
        (Act(status=401, body={"error": {"message": "no", "code": "invalid_api_key"}}), "refused the key"),
        (Act(body={"results": []}), "no verdict"),
        (Act(body="<html>"), ""),
    ],
)
def test_a_check_that_fails_is_told_and_refuses_only_where_strict(fake: FakeServer, act: Act, why: str) -> None:
    fake.act = act
    standard, strict = (look_over(("x",), (), asked_of(fake, safety=safety)) for safety in ("standard", "strict"))
    assert not standard.refused and "It was drawn all the same." in standard.words and why in standard.words
    assert strict.refused and "set to strict" in strict.words
    assert not standard.checked and KEY not in standard.words + strict.words


@pytest.mark.parametrize(
    "settings",
    [
        Settings(),
        Settings(server_keys={"OPENAI_API_KEY": Secret(KEY)}, offline=True),
        Settings(server_keys={"OPENAI_API_KEY": Secret(KEY)}, safety="off"),
    ],
)
def test_without_a_key_or_a_way_out_nobody_is_asked(settings: Settings) -> None:
    assert not applies(settings) and not look_over(("x",), (), settings).refused


def a_run(request: ImageRequest, ran: list[str]) -> Iterator[Event]:
    """A run of one picture, which notes that it began."""
    ran.append(request.prompt)
    yield Progress("Drawing")
    receipt = Receipt(model="m", name="M", task="text-to-image", backend="diffusers", mode="local", license="none")
    yield Final(ImageOutput(images=(PICTURE,), seeds=(1,)), receipt)


def drawn(settings: Settings, request: ImageRequest, ran: list[str], cancel: CancelToken | None = None) -> Drawing:
    *_, last = drawings(gated(a_run(request, ran), request, settings, cancel), 0)
    return last


def test_a_refused_prompt_never_reaches_an_engine(fake: FakeServer) -> None:
    fake.act, ran = verdict(("violence",)), []
    drawing = drawn(asked_of(fake), ImageRequest(prompt="two knights fight"), ran)
    assert isinstance(drawing.error, ProviderError) and "nothing was drawn" in str(drawing.error) and ran == []


def test_all_words_and_the_first_picture_are_looked_over_but_not_what_is_unwanted(fake: FakeServer) -> None:
    ran: list[str] = []
    request = ImageRequest(
        prompt="a cat", blend_prompt="a dog", blend=0.5, negative_prompt="blood", image=PICTURE, strength=0.5
    )
    drawing = drawn(asked_of(fake), request, ran)
    assert ran == ["a cat"] and drawing.receipt is not None
    assert "looked the words over" in " ".join(drawing.receipt.notes)
    (parts,) = sent(fake)
    assert [part.get("text") for part in parts] == ["a cat", "a dog", None] and "blood" not in str(parts)


def test_a_failed_check_stands_beside_the_picture(fake: FakeServer) -> None:
    fake.act = Act(status=500, body={"error": {"message": "broken"}})
    settings = asked_of(fake, safety="standard")
    drawing = drawn(settings, ImageRequest(prompt="a cat"), [])
    asked = len(fake.asked)
    (finished,) = finish(drawing, ImageRequest(prompt="a cat"), settings)
    assert "could not check this prompt. It was drawn all the same." in finished.words
    assert len(fake.asked) == asked, "who doesn't answer isn't asked again for each picture"
    with pytest.raises(BackendError, match="Nothing was drawn, because this server is set to strict"):
        list(gated(a_run(ImageRequest(prompt="x"), []), ImageRequest(prompt="x"), asked_of(fake, safety="strict")))


def test_a_flagged_picture_is_covered_with_words(fake: FakeServer) -> None:
    settings = asked_of(fake)
    drawing = drawn(settings, ImageRequest(prompt="a cat"), [])
    fake.act = verdict(("sexual",))
    (finished,) = finish(drawing, ImageRequest(prompt="a cat"), settings)
    assert "this picture for sexual content (90%), so it is covered" in finished.words
    with Image.open(io.BytesIO(finished.image.data)) as shown, Image.open(io.BytesIO(PICTURE.data)) as whole:
        assert shown.size == whole.size and shown.convert("RGB").tobytes() != whole.convert("RGB").tobytes()


def test_stop_ends_a_check_that_hangs(fake: FakeServer) -> None:
    fake.act = Act(before="hang")
    cancel, ran = CancelToken(), []
    events = gated(a_run(ImageRequest(prompt="a cat"), ran), ImageRequest(prompt="a cat"), asked_of(fake), cancel)
    first = next(events)
    assert isinstance(first, Progress) and first.message == CHECKING
    assert fake.arrived.wait(10)
    cancel.cancel()
    list(events)
    assert fake.closed.wait(10) and ran == ["a cat"]  # an engine sees the same switch, and ends by itself


def test_leaving_ends_a_check_that_hangs(fake: FakeServer) -> None:
    fake.act = Act(before="hang")
    events = gated(a_run(ImageRequest(prompt="a cat"), []), ImageRequest(prompt="a cat"), asked_of(fake))
    next(events)
    assert fake.arrived.wait(10)
    events.close()  # type: ignore[attr-defined]
    assert fake.closed.wait(10)


def test_an_empty_prompt_is_refused_before_anybody_is_asked(fake: FakeServer) -> None:
    with pytest.raises(InvalidRequest, match="empty"):
        list(gated(a_run(ImageRequest(prompt=" "), []), ImageRequest(prompt=" "), asked_of(fake)))
    assert not fake.asked
