"""OpenAI's speech API, which many servers speak: what is sent, and how its answers read."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from shared.backends.base import Usage
from shared.backends.hosted.openai_client import openai_client
from shared.backends.hosted.reply import Reported
from shared.backends.hosted.sound_stream import SoundStream, readable
from shared.backends.hosted.speech_model import SpeechCall, SpeechPiece, no_sound

_DATA = "data:"
_NO_SOUND = ("text/", "application/json")  # media types that no sound has


async def speech(call: SpeechCall) -> AsyncIterator[SpeechPiece]:
    """One call an utterance, each heard while it comes."""
    client = openai_client(call.account, call.http)
    for utterance in call.utterances:
        given = _arguments(call, utterance.text, call.voice(utterance))
        async with client.audio.speech.with_streaming_response.create(**given) as answer:
            yield SpeechPiece(begin=utterance)
            reading = _events(answer, call) if call.profile.events else _bytes(answer, call)
            whole = False
            async for piece in reading:
                whole = whole or piece.end
                yield piece
        yield SpeechPiece(usage=Usage(input_characters=len(utterance.text)))
        if not whole:
            return  # cut short: what is missing is told
    yield SpeechPiece(finish=True)


def _arguments(call: SpeechCall, text: str, voice: str) -> dict[str, Any]:
    from openai import omit

    request, profile = call.request, call.profile
    given: dict[str, Any] = {"model": call.variant.repo_id, "input": text, "voice": voice or omit}
    given["response_format"] = profile.format
    if profile.events:
        given["stream_format"] = "sse"
    if request.speed is not None:
        given["speed"] = request.speed
    if request.instructions and profile.style == "field":
        given["instructions"] = request.instructions
    more = {name: getattr(request, name) for name in ("language", "temperature", "seed")}
    body = {profile.sent_as.get(name, name): value for name, value in more.items() if value is not None}
    return {**given, "extra_body": body} if body else given


async def _bytes(answer: Any, call: SpeechCall) -> AsyncIterator[SpeechPiece]:
    """The sound itself. Raises `ProviderError` for what is none."""
    if str(answer.headers.get("content-type", "")).startswith(_NO_SOUND):
        raise no_sound(call.account.name)
    stream = SoundStream(call.profile.rate if call.profile.format == "pcm" else None)
    any_came = False
    async for data in answer.iter_bytes():
        if (samples := stream.feed(data)) is not None:
            any_came = True
            yield SpeechPiece(samples=samples, rate=stream.rate)
    rest = readable(stream)
    if rest is None and not any_came:
        raise no_sound(call.account.name)
    if rest is not None:
        yield SpeechPiece(samples=rest, rate=stream.rate)
    yield SpeechPiece(end=True)


async def _events(answer: Any, call: SpeechCall) -> AsyncIterator[SpeechPiece]:
    """Server-sent events, the last of which says that all is there. Raises `Reported` for an error among them."""
    stream = SoundStream(call.profile.rate)
    async for line in answer.iter_lines():
        if not line.startswith(_DATA) or line[len(_DATA) :].strip() == "[DONE]":
            continue
        event = json.loads(line[len(_DATA) :])
        kind = event.get("type") if isinstance(event, Mapping) else None
        if kind == "error" or (isinstance(event, Mapping) and "error" in event):
            raise Reported(event)
        if kind == "speech.audio.delta" and (samples := stream.feed(_decoded(event, call))) is not None:
            yield SpeechPiece(samples=samples, rate=stream.rate)
        elif kind == "speech.audio.done":
            yield SpeechPiece(end=True, usage=usage(event.get("usage")))


def _decoded(event: Mapping[str, Any], call: SpeechCall) -> bytes:
    try:
        return base64.b64decode(str(event.get("audio") or ""), validate=True)
    except (binascii.Error, ValueError):
        raise no_sound(call.account.name) from None


def usage(counted: Any) -> Usage | None:
    """Its count of tokens; all that it wrote is sound."""
    if not isinstance(counted, Mapping):
        return None
    written = counted.get("output_tokens")
    return Usage(input_tokens=counted.get("input_tokens"), output_tokens=written, output_audio_tokens=written)
