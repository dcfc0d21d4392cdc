"""What goes wrong at a provider of pictures, and what a person is told: real SDKs, and a server that misbehaves."""

from __future__ import annotations

import logging
import struct
import threading
import time
import traceback
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from PIL import Image

from shared.errors import (
    BackendError,
    ContentFiltered,
    InferenceError,
    InvalidRequest,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
)
from tests.support import contract
from tests.support.fake_server import Act, deaf, serving
from tests.support.hosted import KEY, Hosted, engine_for, once
from tests.support.hosted_images import draw, drawing, final_of, image_settings, previews_of
from tests.support.pictures import chunk, encoded
from tests.support.protocols import data
from tests.support.protocols_images import (
    IMAGE_DIALECTS,
    IMAGES_BY_BACKEND,
    PICTURE,
    SKETCH,
    ImageDialect,
    b64,
    with_body,
)


@pytest.fixture(params=IMAGE_DIALECTS, ids=lambda dialect: dialect.backend)
def case(request: pytest.FixtureRequest) -> Iterator[Hosted]:
    with drawing(request.param) as made:
        yield made


def images_of(case: Hosted) -> ImageDialect:
    return case.dialect  # type: ignore[return-value]


def test_a_refused_key_is_said_plainly_and_never_echoed(case: Hosted, caplog: pytest.LogCaptureFixture) -> None:
    for status in (401, 403):
        case.fake.asked.clear()
        case.fake.act = case.dialect.error(status, f"Incorrect API key provided: {KEY}.", "authentication_error")
        with caplog.at_level(logging.DEBUG), pytest.raises(ProviderError, match="refused the key") as caught:
            case.events()
        assert not caught.value.retryable and len(case.fake.asked) == 1
        assert KEY not in "".join(traceback.format_exception(caught.value))
        assert KEY not in caplog.text


def test_an_account_that_is_not_verified_is_told_what_to_do(case: Hosted) -> None:
    words = "Your organization must be verified to use the model `gpt-image-2`. Please go to: https://platform.test"
    case.fake.act = case.dialect.error(403, words)
    with pytest.raises(ProviderError, match=r"platform\.test") as caught:
        case.events()
    assert not caught.value.retryable and "mistyped" not in str(caught.value) and len(case.fake.asked) == 1


def test_a_key_echoed_in_another_error_is_struck_out(case: Hosted) -> None:
    case.fake.act = case.dialect.error(400, f"Bad parameter near {KEY} and sk-proj-abcdefgh12345678")
    with pytest.raises(InferenceError) as caught:
        case.events()
    text = "".join(traceback.format_exception(caught.value))
    assert KEY not in text and "abcdefgh12345678" not in text


def test_a_wait_in_seconds_is_kept_and_then_it_succeeds(case: Hosted) -> None:
    case.fake.script = [replace(case.dialect.error(429, "slow down"), headers={"Retry-After": "1"})]
    started = time.monotonic()
    final = final_of(case.events())
    assert final.output.images[0].data == PICTURE
    assert len(case.fake.asked) == 2 and time.monotonic() - started >= 1.0


def test_a_wait_given_as_a_date_is_understood(case: Hosted) -> None:
    when = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    case.fake.act = replace(case.dialect.error(429, "slow down"), headers={"Retry-After": when})
    with pytest.raises(RateLimited) as caught:
        case.events()
    assert caught.value.retry_after == pytest.approx(90, abs=5)
    assert len(case.fake.asked) == 1


@pytest.mark.parametrize("status", [500, 503])
def test_a_servers_trouble_is_tried_again_and_then_succeeds(case: Hosted, status: int) -> None:
    case.fake.script = [case.dialect.error(status, "internal")] * 2
    assert final_of(case.events()).output.images and len(case.fake.asked) == 3


def test_a_servers_trouble_that_lasts_is_told(case: Hosted) -> None:
    case.fake.act = Act(status=502, body="<html><h1>Bad gateway</h1></html>")
    with pytest.raises(ProviderUnavailable) as caught:
        case.events()
    assert len(case.fake.asked) == 3 and "<html" not in str(caught.value)


def test_a_server_that_cannot_be_reached_is_told(case: Hosted) -> None:
    case.fake.stop()
    with pytest.raises(ProviderUnavailable, match="Nothing answers"):
        once(case).events()


def test_silence_ends_in_a_timeout(case: Hosted) -> None:
    case.fake.act = Act(before="hang")
    with pytest.raises(ProviderTimeout):
        once(case.with_settings(picture_timeout=0.4)).events()
    assert case.fake.closed.wait(1)


def test_a_picture_may_take_longer_than_the_first_word_of_a_text(case: Hosted) -> None:
    case.fake.act = replace(case.dialect.answer(), pause=0.3)  # type: ignore[type-var]
    if case.fake.act.chunks is None:
        pytest.skip("its answer is no stream")
    assert final_of(once(case.with_settings(first_output_timeout=0.1, idle_timeout=0.1)).events()).output.images


def test_silence_after_a_preview_keeps_it(case: Hosted) -> None:
    if not images_of(case).previews:
        pytest.skip("this provider shows no previews")
    case.fake.act = images_of(case).opening()
    with pytest.raises(ProviderTimeout) as caught:
        case.with_settings(picture_timeout=1.0).events()
    assert caught.value.partial is not None and caught.value.partial.output.images
    assert caught.value.partial.output.finish_reason == "cut"
    assert case.fake.closed.wait(1)


def test_an_answer_cut_in_the_middle_is_told(case: Hosted) -> None:
    whole = images_of(case).answer()
    text = "".join(whole.chunks) if whole.chunks is not None else as_text(whole)
    half = Act(chunks=(text[: len(text) // 2],), headers=whole.headers or {"Content-Type": "application/json"})
    kind = half.headers if whole.chunks is None else {}
    for after in ("cut", ""):
        case.fake.act = replace(half, after=after, headers=kind)
        with pytest.raises(BackendError) as caught:
            once(case).events()
        assert "sent" in str(caught.value) or "clos" in str(caught.value) or "broke off" in str(caught.value)


def as_text(act: Act) -> str:
    import json

    if isinstance(act.body, bytes):
        return act.body.decode("latin-1")
    return act.body if isinstance(act.body, str) else json.dumps(act.body)


def spoilt(case: Hosted, data: bytes) -> Act:
    return images_of(case).answer(data)


def bomb(width: int, height: int) -> bytes:
    """A small file that says it is huge."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 100_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


SPOILT = {
    "text": b"I am no picture, however much I should like to be one.",
    "a script": b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
    "half a picture": PICTURE[: len(PICTURE) // 2],
    "nothing": b"",
    "a whole picture of too many pixels": encoded("PNG", Image.new("1", (8_000, 8_000))),
    "a bomb": bomb(60_000, 60_000),
}


@pytest.mark.parametrize("kind", SPOILT)
def test_what_is_no_picture_is_told(case: Hosted, kind: str) -> None:
    case.fake.act = spoilt(case, SPOILT[kind])
    with pytest.raises((ProviderError, InvalidRequest), match=r"no whole picture|without a picture"):
        once(case).events()


ODD = (
    "<html>Log in to the school's network</html>", '{"data": [{"b64_js', "[]", "7", "null", '"words"', '{"data": "x"}',
    '{"data": null}', '{"data": [null]}', '{"data": [{"b64_json": 5}]}', '{"data": [{"url": {}}]}', '{"data": [[[]]]}',
    '{"images": [1]}', '{"images": {"a": 1}}', '{"images": [], "info": 3}', '{"images": [null], "info": "[]"}',
    '{"output": [[]]}', '{"output": 5}', '{"prompt_id": 7}', '{"prompt_id": "../../x"}', '{"candidates": "x"}',
)  # fmt: skip


def test_a_stream_that_is_no_answer_is_told(case: Hosted) -> None:
    for body in ODD:
        case.fake.act = Act(body=body)
        with pytest.raises((BackendError, InvalidRequest)) as caught:
            once(case).events()
        assert "not foreseen" not in str(caught.value), body


def test_base64_that_is_none_is_told(case: Hosted) -> None:
    act = with_body(images_of(case).answer(), b64(PICTURE)[:12], "!!not base64")
    case.fake.act = act
    if act == images_of(case).answer():
        pytest.skip("its pictures are no base64")
    with pytest.raises(ProviderError, match=r"no whole picture|no answer of the kind"):
        once(case).events()


def test_a_huge_answer_is_not_read(case: Hosted) -> None:
    import tracemalloc

    piece = " " * 2**20
    case.fake.act = Act(chunks=(piece,) * 400, headers={"Content-Type": "application/json"})
    tracemalloc.start()
    try:
        with pytest.raises(ProviderError, match="more than 128 MiB"):
            once(case).events()
        assert tracemalloc.get_traced_memory()[1] < 400 * 2**20
    finally:
        tracemalloc.stop()


def test_a_packed_answer_is_not_unpacked(case: Hosted) -> None:
    import gzip

    case.fake.act = Act(body=gzip.compress(b" " * 10_000_000), headers={"Content-Encoding": "gzip"})
    with pytest.raises(ProviderError, match="packed"):
        once(case).events()


def test_a_content_filter_is_told_and_nothing_else_is_tried(case: Hosted) -> None:
    refusal = images_of(case).filtered()
    if refusal is None:
        pytest.skip("this server filters nothing")
    case.fake.act = refusal
    with pytest.raises(ContentFiltered):
        case.events()
    assert len(case.fake.asked) == 1


def test_a_refused_request_is_told_in_the_providers_words(case: Hosted) -> None:
    case.fake.act = case.dialect.error(400, "frequency of the flux is off", "invalid_request_error")
    with pytest.raises(InvalidRequest, match="flux is off"):
        case.events()
    assert len(case.fake.asked) == 1


def test_a_redirect_is_not_followed(case: Hosted) -> None:
    with serving(images_of(case).answer()) as elsewhere:
        case.fake.act = Act(status=307, headers={"Location": elsewhere.url + "/v1"})
        with pytest.raises(BackendError):
            case.events()
        assert not elsewhere.asked


def test_a_client_that_leaves_closes_the_connection_upstream(case: Hosted) -> None:
    for act in (Act(before="hang"), images_of(case).opening()):
        case.fake.reset(act)
        prepare(case)
        run = case.engine.generate(case.model, draw(), settings=case.settings)
        ready = case.fake.arrived if act.before else case.fake.streaming
        while not ready.is_set() and next(run):
            pass
        left = time.monotonic()
        run.close()
        assert time.monotonic() - left < 0.5, "closing must not wait for the worker"
        assert case.fake.closed.wait(2), "the connection stays open"
        assert case.fake.closed_at is not None and case.fake.closed_at - left < 1.0
        contract.no_lease_is_left(case.engine)


def prepare(case: Hosted) -> None:
    if (again := getattr(case.dialect, "prepare", None)) is not None:
        again(case.fake)


def test_stop_ends_the_run_and_keeps_the_last_preview(case: Hosted) -> None:
    case.fake.act = images_of(case).opening()
    shows = images_of(case).previews > 0
    ready = case.fake.streaming if case.fake.act.chunks else case.fake.arrived

    def when() -> None:
        assert ready.wait(10)
        time.sleep(0.4)

    final = contract.stop_keeps_what_came(case, when)
    assert bool(final.output.images) == shows
    assert case.fake.closed.wait(1)


def test_stop_while_connecting(case: Hosted) -> None:
    with deaf() as address:
        settings = image_settings(images_of(case), address, connect_timeout=20.0)
        stuck = replace(case, engine=engine_for(settings), settings=settings)
        contract.stop_keeps_what_came(stuck, lambda: time.sleep(0.4))


def test_many_at_once_do_not_mix(case: Hosted) -> None:
    made: list[bytes] = []

    def one() -> None:
        made.append(final_of(case.events()).output.images[0].data)

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert made == [PICTURE] * 4


def test_a_spoilt_preview_is_no_reason_to_stop(case: Hosted) -> None:
    if images_of(case).backend != "openai_images":
        pytest.skip("shown for one provider")
    case.fake.act = with_body(images_of(case).answer(), b64(SKETCH), b64(b"nothing to see"))
    events = case.events()
    assert not previews_of(events) and final_of(events).output.images[0].data == PICTURE


@pytest.mark.parametrize(
    "event",
    [
        {"type": "image_generation.completed"},
        {"type": "image_generation.completed", "b64_json": 5},
        {"type": "image_generation.partial_image", "b64_json": {}},
        {"type": 7},
        {"candidates": [{"content": {"parts": [{"inlineData": {"mimeType": "image/png", "data": "!"}}]}}]},
        {"candidates": [{"content": {"parts": "x"}, "finishReason": "NEVER HEARD OF"}]},
    ],
)
@pytest.mark.parametrize("backend", ["openai_images", "google_images"])
def test_odd_events_of_a_stream_are_told(backend: str, event: object) -> None:
    with drawing(IMAGES_BY_BACKEND[backend], Act(chunks=data(event))) as case:
        with pytest.raises((BackendError, InvalidRequest)) as caught:
            once(case).events()
        assert "not foreseen" not in str(caught.value)
