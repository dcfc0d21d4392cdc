"""What goes wrong at a provider of speech, and what a person is told: real SDKs, and a server that misbehaves."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Iterator
from dataclasses import replace

import pytest

from shared.errors import (
    BackendError,
    ContentFiltered,
    InferenceError,
    InvalidRequest,
    NoBackendAvailable,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
    StreamCut,
    UnknownModel,
)
from tests.support.fake_server import Act
from tests.support.hosted import KEY, Hosted, once
from tests.support.hosted_speech import speaking
from tests.support.protocols import data
from tests.support.protocols_speech import (
    PCM,
    SPEECH_DIALECTS,
    ElevenLabs,
    GeminiSpeech,
    HubSpeech,
    SpeechBytes,
    SpeechEvents,
    SpeechFiles,
    b64,
)
from tests.support.sounds import final_of, speech


@pytest.fixture(params=SPEECH_DIALECTS, ids=lambda dialect: dialect.model)
def case(request: pytest.FixtureRequest) -> Iterator[Hosted]:
    with speaking(request.param) as made:
        yield made


def test_a_refused_key_is_said_plainly_and_never_echoed(case: Hosted, caplog: pytest.LogCaptureFixture) -> None:
    case.fake.act = case.dialect.error(401, f"Incorrect API key provided: {KEY}.", "authentication_error")
    with caplog.at_level(logging.DEBUG), pytest.raises(ProviderError, match="refused the key") as caught:
        case.events()
    assert not caught.value.retryable and len(case.fake.asked) == 1
    assert KEY not in "".join(traceback.format_exception(caught.value)) and KEY not in caplog.text


def test_too_many_requests_are_waited_out(case: Hosted) -> None:
    case.fake.script = [replace(case.dialect.error(429, "slow down"), headers={"Retry-After": "1"})]
    started = time.monotonic()
    assert final_of(case.events()).output.pcm
    assert len(case.fake.asked) == 2 and time.monotonic() - started >= 1.0


def test_too_many_requests_for_long_are_told_with_the_wait(case: Hosted) -> None:
    case.fake.act = replace(case.dialect.error(429, "slow down"), headers={"Retry-After": "90"})
    with pytest.raises(RateLimited, match="90 seconds"):
        case.events()
    assert len(case.fake.asked) == 1


@pytest.mark.parametrize("status", [500, 503])
def test_a_servers_trouble_is_tried_again(case: Hosted, status: int) -> None:
    case.fake.script = [case.dialect.error(status, "internal")] * 2
    assert final_of(case.events()).output.pcm and len(case.fake.asked) == 3


def test_a_servers_trouble_that_lasts_is_told(case: Hosted) -> None:
    case.fake.act = Act(status=502, body="<html><h1>Bad gateway</h1></html>")
    with pytest.raises(ProviderUnavailable) as caught:
        case.events()
    assert "<html" not in str(caught.value)


def test_a_model_that_is_not_there_is_told(case: Hosted) -> None:
    case.fake.act = case.dialect.error(404, "no such model", "model_not_found")
    with pytest.raises(UnknownModel):
        case.events()


def test_a_server_that_cannot_be_reached_is_told(case: Hosted) -> None:
    case.fake.stop()
    with pytest.raises(ProviderUnavailable, match="Nothing answers"):
        once(case).events()


def test_silence_ends_in_a_timeout(case: Hosted) -> None:
    case.fake.act = Act(before="hang")
    with pytest.raises(ProviderTimeout):
        once(case.with_settings(first_output_timeout=0.4, picture_timeout=0.4)).events()
    assert case.fake.closed.wait(1)


def test_silence_in_the_middle_keeps_what_was_said(case: Hosted) -> None:
    if not case.dialect.streams:  # type: ignore[attr-defined]
        pytest.skip("this provider sends whole files")
    case.fake.act = case.dialect.opening()  # type: ignore[assignment]
    with pytest.raises(ProviderTimeout) as caught:
        case.with_settings(idle_timeout=0.6).events()
    assert caught.value.partial is not None and caught.value.partial.output.pcm
    assert caught.value.partial.output.finish_reason == "cut" and len(case.fake.asked) == 1


def test_a_stream_that_breaks_off_keeps_what_was_said(case: Hosted) -> None:
    if not case.dialect.streams:  # type: ignore[attr-defined]
        pytest.skip("this provider sends whole files")
    case.fake.act = replace(case.dialect.opening(), after="cut")  # type: ignore[type-var]
    with pytest.raises(StreamCut) as caught:
        case.events()
    assert caught.value.partial is not None and caught.value.partial.output.seconds > 0.3


@pytest.mark.parametrize("dialect", [SpeechEvents(), GeminiSpeech()], ids=lambda d: d.model)
def test_a_stream_that_ends_without_saying_so_is_cut(dialect: SpeechEvents) -> None:
    with speaking(dialect, replace(dialect.opening(), after="")) as case, pytest.raises(StreamCut):
        case.events()


def test_the_second_part_failing_keeps_the_first(case: Hosted) -> None:
    text = "This is the first of several parts of a text. " * 400
    case.fake.script = [case.dialect.answer()]  # type: ignore[list-item]
    case.fake.act = case.dialect.error(500, "internal")
    with pytest.raises(ProviderUnavailable) as caught:
        case.events(speech(text[:30_000]))
    assert caught.value.partial is not None and caught.value.partial.output.seconds > 0.5
    assert len(case.fake.asked) == 2, "what was heard is not paid for twice"


def test_a_filter_is_told_and_nothing_else_is_tried(case: Hosted) -> None:
    act = case.dialect.filtered()
    if act is None:
        pytest.skip("it has no filter that says so")
    case.fake.act = act  # type: ignore[assignment]
    with pytest.raises(ContentFiltered):
        case.events()
    assert len(case.fake.asked) == 1


NOISE = [
    Act(body=b"", headers={"Content-Type": "audio/wav"}),
    Act(body=b"\x00" * 9, headers={"Content-Type": "audio/wav"}),
    Act(body="<html>hello</html>", headers={"Content-Type": "text/html"}),
    Act(body={"nothing": "here"}),
    Act(chunks=("data: {]\n\n",)),
    Act(chunks=("data: [1, 2]\n\n", "data: null\n\n")),
]


@pytest.mark.parametrize("number", range(len(NOISE)))
def test_what_is_no_speech_is_told_as_such(case: Hosted, number: int) -> None:
    case.fake.act = NOISE[number]
    with pytest.raises((ProviderError, InvalidRequest)) as caught:
        once(case).events()
    assert "not foreseen" not in str(caught.value)


@pytest.mark.parametrize(
    ("dialect", "act"),
    [
        (SpeechEvents(), Act(chunks=data({"type": "speech.audio.delta", "audio": "%%%"}))),
        (SpeechEvents(), Act(chunks=data({"type": "error", "error": {"message": "oh", "code": "server_error"}}))),
        (ElevenLabs(), Act(chunks=('{"audio_base64": "%%%"}\n',))),
        (ElevenLabs(), Act(chunks=('[1]\n',))),
        (HubSpeech(), Act(body={"audio": {"url": "http://169.254.169.254/latest"}})),
        (HubSpeech(), Act(body={"audio": {"url": "file:///etc/passwd"}})),
        (HubSpeech(), Act(body={"status": "failed", "error": "out of credit"})),
        (SpeechFiles(), Act(chunks=(b"RIFF\0\0\0\0WAVE" + b"junk" * 40_000,))),
        (SpeechBytes(), Act(body=bytes(len(PCM)), headers={"Content-Type": "audio/pcm"})),
    ],
    ids=range(9),
)  # fmt: skip
def test_broken_answers_of_each_kind_are_told(dialect: SpeechEvents, act: Act) -> None:
    with speaking(dialect, act) as case:
        with pytest.raises((BackendError, InvalidRequest)) as caught:
            once(case).events()
        assert "not foreseen" not in str(caught.value)


def test_a_gemini_sound_of_another_kind_is_refused() -> None:
    part = {"inlineData": {"mimeType": "audio/L16;rate=999999", "data": b64(PCM)}}
    candidate = {"index": 0, "content": {"role": "model", "parts": [part]}, "finishReason": "STOP"}
    act = Act(chunks=data({"candidates": [candidate]}))
    with speaking(GeminiSpeech(), act) as case, pytest.raises(ProviderError, match="no sound"):
        once(case).events()


def test_an_answer_without_end_is_not_kept(case: Hosted, monkeypatch: pytest.MonkeyPatch) -> None:
    from shared.backends.hosted.speech_model import HostedSpeech

    monkeypatch.setattr(HostedSpeech, "largest_reply", 8000)
    with pytest.raises(InferenceError, match="sent more than"):
        once(case).events()


def test_a_text_that_is_too_long_is_not_sent(case: Hosted) -> None:
    with pytest.raises(InvalidRequest, match="characters; this server takes"):
        case.events(speech("x" * 1_000_000))
    assert not case.fake.asked


def test_an_offline_server_calls_nobody(case: Hosted) -> None:
    away = replace(case.settings, offline=True, base_urls={})  # type: ignore[type-var]
    with pytest.raises(NoBackendAvailable, match="stay offline"):
        list(case.engine.generate(case.model, speech(), settings=away))
