"""OpenAI's Realtime API as a reader: the real SDK against a websocket server that plays OpenAI."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from shared.engine import Engine
from shared.errors import ContentFiltered, KeyRefused, ProviderTimeout, ProviderUnavailable, RateLimited, StreamCut
from shared.events import AudioChunk, Event
from shared.retries import RetryPolicy
from shared.settings import Secret, Settings
from shared.streaming import CancelToken
from tests.support.hosted import KEY, engine_for
from tests.support.protocols_speech import PCM, RATE, cut_up
from tests.support.sounds import final_of, speech, streams_what_it_ends_with

MODEL = "openai:gpt-realtime-2.1-mini"
TEXT = "What is blue?"
Play = Callable[[ServerConnection, dict[str, Any]], None]


class Fake:
    """What was asked of the server, in order. `refuse`: a status to answer connections with."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.keys: list[str] = []
        self.refuse: list[int] = []
        self.left = threading.Event()


def say(socket: ServerConnection, kind: str, **more: Any) -> None:
    socket.send(json.dumps({"type": kind, "event_id": "e", **more}))


def sound(socket: ServerConnection) -> None:
    about = {"response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0}
    for piece in cut_up(PCM):
        say(socket, "response.output_audio.delta", delta=base64.b64encode(piece).decode(), **about)


def done(socket: ServerConnection, status: str = "completed", **details: Any) -> None:
    usage = {
        "input_tokens": 60, "output_tokens": 30, "total_tokens": 90, "output_token_details": {"audio_tokens": 24},
    }  # fmt: skip
    response = {"id": "r", "object": "realtime.response", "status": status, "output": [], "usage": usage}
    say(socket, "response.done", response=response | ({"status_details": details} if details else {}))


def whole(socket: ServerConnection, asked: dict[str, Any], transcript: str = "") -> None:
    """Say what was asked."""
    text = asked["response"]["input"][0]["content"][0]["text"]
    about = {"response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0}
    sound(socket)
    say(socket, "response.output_audio_transcript.done", transcript=transcript or text.upper(), **about)
    done(socket)


@contextmanager
def playing(play: Play = whole, **more: Any) -> Iterator[tuple[Engine, Fake]]:
    fake = Fake()

    def answer(socket: ServerConnection) -> None:
        try:
            fake.asked.append(json.loads(socket.recv()))
            play(socket, fake.asked[-1])
            socket.recv()
        except ConnectionClosed:
            fake.left.set()

    def open_or_refuse(socket: ServerConnection, request: Any) -> Any:
        fake.paths.append(request.path)
        fake.keys.append(request.headers.get("Authorization", ""))
        if fake.refuse:
            response = socket.respond(HTTPStatus(fake.refuse.pop(0)), '{"error": {"message": "no"}}')
            response.headers["Retry-After"] = "0"
            return response
        return None

    with serve(answer, "127.0.0.1", 0, process_request=open_or_refuse) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.socket.getsockname()[1]
        given: dict[str, Any] = {"connect_timeout": 5.0, "idle_timeout": 10.0, "total_timeout": 30.0, **more}
        settings = Settings(
            base_urls={"openai": f"http://127.0.0.1:{port}/v1"}, server_keys={"OPENAI_API_KEY": Secret(KEY)}, **given
        )
        yield engine_for(settings, RetryPolicy(attempts=2, base=0.01, cap=0.02)), fake
        server.shutdown()


def run(engine: Engine, text: str = TEXT, **settings: Any) -> list[Event]:
    return list(engine.generate(MODEL, speech(text, **settings)))


def test_the_text_is_read_and_streams() -> None:
    with playing() as (engine, fake):
        events = run(engine, instructions="Whisper.", voice="cedar")
        output = streams_what_it_ends_with(events)
    assert output.seconds == pytest.approx(len(PCM) / 2 / RATE, abs=0.05)
    receipt = final_of(events).receipt
    assert receipt.output_tokens == 30 and "text" not in receipt.unhonoured
    assert fake.paths == ["/v1/realtime?model=gpt-realtime-2.1-mini"] and fake.keys == [f"Bearer {KEY}"]
    asked = fake.asked[0]["response"]
    assert asked["input"][0]["content"][0]["text"] == TEXT and "Whisper." in asked["instructions"]
    assert asked["audio"]["output"]["voice"] == "cedar" and KEY not in receipt.to_json()


def test_each_speaker_has_a_connection_of_their_own() -> None:
    with playing() as (engine, fake):
        run(engine, "Ann: Hello.\nBen: Well.", speakers=(("Ann", "marin"), ("Ben", "cedar")))
    assert [a["response"]["audio"]["output"]["voice"] for a in fake.asked] == ["marin", "cedar"]


def test_a_reading_that_differs_is_told() -> None:
    with playing(lambda socket, asked: whole(socket, asked, "Sure! What is blue?")) as (engine, _):
        receipt = final_of(run(engine)).receipt
    assert "something else" in receipt.unhonoured["text"]


def test_stop_hangs_up_and_keeps_what_was_said() -> None:
    def hanging(socket: ServerConnection, asked: dict[str, Any]) -> None:
        sound(socket)
        socket.recv(timeout=20)

    with playing(hanging) as (engine, fake):
        token, events = CancelToken(), []
        for event in engine.generate(MODEL, speech(TEXT), cancel=token):
            events.append(event)
            if isinstance(event, AudioChunk):
                token.cancel()
        assert final_of(events).output.finish_reason == "stopped" and final_of(events).output.pcm
        assert fake.left.wait(3)


def test_refusals_are_told_and_a_full_server_is_asked_again() -> None:
    with playing() as (engine, fake):
        fake.refuse = [401]
        with pytest.raises(KeyRefused):
            run(engine)
        fake.refuse = [429]
        assert final_of(run(engine)).output.pcm
        fake.refuse = [429] * 9
        with pytest.raises(RateLimited):
            run(engine)


def test_a_connection_that_breaks_off_keeps_what_was_said() -> None:
    def breaking(socket: ServerConnection, asked: dict[str, Any]) -> None:
        sound(socket)
        socket.socket.close()

    with playing(breaking) as (engine, _), pytest.raises(StreamCut) as caught:
        run(engine)
    assert caught.value.partial is not None and caught.value.partial.output.pcm


@pytest.mark.parametrize(
    ("play", "error"),
    [
        (lambda s, a: done(s, "incomplete", type="incomplete", reason="content_filter"), ContentFiltered),
        (lambda s, a: say(s, "error", error={"type": "server_error", "message": "oh"}), ProviderUnavailable),
        (lambda s, a: s.close(), ProviderUnavailable),
    ],
    ids=["filter", "error", "closed"],
)
def test_what_goes_wrong_is_told(play: Play, error: type[Exception]) -> None:
    with playing(play) as (engine, _), pytest.raises(error):
        run(engine)


def test_silence_ends_in_a_timeout() -> None:
    started = time.monotonic()
    with playing(lambda s, a: s.recv(timeout=20), idle_timeout=0.4) as (engine, _), pytest.raises(ProviderTimeout):
        run(engine)
    assert time.monotonic() - started < 5


def test_nobody_there_is_told() -> None:
    with playing() as (engine, _):
        pass
    with pytest.raises(ProviderUnavailable, match="Nothing answers"):
        run(engine)
