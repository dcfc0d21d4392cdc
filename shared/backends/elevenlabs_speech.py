"""ElevenLabs by its HTTP API, with the time of each word: https://elevenlabs.io/docs/api-reference/text-to-speech.

Not by its SDK, of 2,900 modules and another HTTP client: a run's limits, its stop and its tests would be others.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from shared.audio.script import Utterance
from shared.backends.hosted.account import Account, account_at
from shared.backends.hosted.elevenlabs_voice import imitated
from shared.backends.hosted.sound_stream import SoundStream
from shared.backends.hosted.speaking import PROVIDERS, SPEAKERS, SpeakingProfile
from shared.backends.hosted.speech_model import HostedSpeech, SpeechCall, SpeechPiece, no_sound
from shared.errors import InvalidRequest
from shared.events import Word

if TYPE_CHECKING:
    from shared.catalog import Variant
    from shared.settings import Settings

_MOST_SEED = 2**32
_SPEEDS = 0.7, 1.2


class ElevenLabsSpeech(HostedSpeech):
    """Models of api.elevenlabs.io by their own names in `variant.repo_id`."""

    package = distribution = "httpx2"

    def account(self, variant: Variant, settings: Settings) -> Account:
        """Raises `MissingCredentials` without a key."""
        return account_at(PROVIDERS["elevenlabs"], settings)

    def profile(self, variant: Variant) -> SpeakingProfile:
        """What `speaking.toml` says of the model."""
        return SPEAKERS["elevenlabs"].profile(variant.repo_id)

    async def stream(self, call: SpeechCall) -> AsyncIterator[SpeechPiece]:
        """One call an utterance, as lines of JSON with sound and the times of its characters."""
        async with imitated(call) as voice:
            for utterance in call.utterances:
                async for piece in _said(call, utterance, voice.id or call.voice(utterance)):
                    yield piece
        yield SpeechPiece(finish=True, facts={"notes": (voice.note,)} if voice.note else {})


async def _said(call: SpeechCall, utterance: Utterance, voice: str) -> AsyncIterator[SpeechPiece]:
    sound, times = SoundStream(call.profile.rate), _Times()
    url, body = _address(call, voice), _body(call, utterance.text)
    headers = {"xi-api-key": call.account.reveal()}
    async with call.http.stream("POST", url, json=body, headers=headers) as answer:
        answer.raise_for_status()
        yield SpeechPiece(begin=utterance)
        async for line in answer.aiter_lines():
            if line.strip():
                samples = sound.feed(_heard(line, call, times))
                if samples is not None:
                    yield SpeechPiece(samples=samples, rate=sound.rate)
                    times.sounded += len(samples) / sound.rate
    yield SpeechPiece(end=True, words=tuple(times.words()))


def _address(call: SpeechCall, voice: str) -> str:
    root = call.account.root
    return (
        f"{root}/v1/text-to-speech/{quote(voice, safe='')}/stream/with-timestamps?output_format={call.profile.format}"
    )


def _body(call: SpeechCall, text: str) -> dict[str, Any]:
    request = call.request
    body: dict[str, Any] = {"text": text, "model_id": call.variant.repo_id}
    if request.language:
        body["language_code"] = request.language.split("-")[0]
    if request.seed is not None:
        body["seed"] = request.seed % _MOST_SEED
    if request.speed is not None:
        if not _SPEEDS[0] <= request.speed <= _SPEEDS[1]:
            raise InvalidRequest(f"ElevenLabs speaks at a speed of {_SPEEDS[0]} to {_SPEEDS[1]}; change the speed.")
        body["voice_settings"] = {"speed": request.speed}
    return body


def _heard(line: str, call: SpeechCall, times: _Times) -> bytes:
    """The sound in a line; the times in it are kept."""
    told = json.loads(line)
    if not isinstance(told, dict):
        raise no_sound(call.account.name)
    times.add(told.get("alignment"))
    try:
        return base64.b64decode(str(told.get("audio_base64") or ""), validate=True)
    except (binascii.Error, ValueError):
        raise no_sound(call.account.name) from None


class _Times:
    """The times of characters, made into those of words. `sounded`: seconds of sound so far."""

    def __init__(self) -> None:
        self.sounded = 0.0
        self._characters: list[tuple[str, float, float]] = []

    def add(self, alignment: Any) -> None:
        """Take in what a line tells; one that makes no sense is left out."""
        given = alignment if isinstance(alignment, dict) else {}
        names = ("characters", "character_start_times_seconds", "character_end_times_seconds")
        columns = [given.get(name) for name in names]
        if not all(isinstance(column, list) and len(column) == len(columns[0] or []) for column in columns):
            return
        rows = [row for row in zip(*columns, strict=True) if _sensible(*row)]
        last = self._characters[-1][2] if self._characters else 0.0
        # Some of its streams count from the line's own sound, others from the beginning.
        shift = self.sounded if rows and rows[0][1] < last - 0.05 else 0.0
        self._characters += [(str(c), start + shift, end + shift) for c, start, end in rows]

    def words(self) -> Iterable[Word]:
        """The words, split at white space."""
        held: list[tuple[str, float, float]] = []
        for character in [*self._characters, (" ", 0.0, 0.0)]:
            if not character[0].isspace():
                held.append(character)
            elif held:
                yield Word("".join(c for c, _, _ in held), held[0][1], held[-1][2], exact=True)
                held = []


def _sensible(character: Any, start: Any, end: Any) -> bool:
    numbers = all(isinstance(value, int | float) and 0 <= value < 10**5 for value in (start, end))
    return isinstance(character, str) and len(character) == 1 and numbers and start <= end
