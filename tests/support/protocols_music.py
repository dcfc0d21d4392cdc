"""What each provider's API for music and sounds says on the wire."""

from __future__ import annotations

import io
import wave
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tests.support.fake_server import Act, Asked
from tests.support.protocols_speech import b64
from tests.support.protocols_video import Fal, Provider, Replicate

RATE, SECONDS = 44_100, 1.0
_T = np.arange(round(RATE * SECONDS)) / RATE
# Another tone on each side, so that nobody can mix them unheard.
STEREO = np.stack([9000 * np.sin(2 * np.pi * hertz * _T) for hertz in (220, 330)], 1).astype("<i2")


def file() -> bytes:
    """The sound as an MP3 file, as both providers send it."""
    import soundfile

    out = io.BytesIO()
    soundfile.write(out, STEREO, RATE, format="MP3")
    return out.getvalue()


def wav() -> bytes:
    """The sound as WAV."""
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(2)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(STEREO.tobytes())
    return out.getvalue()


@dataclass(frozen=True)
class ElevenSounds:
    """ElevenLabs' sound effects, or its music: a file for a text."""

    model: str = "elevenlabs:eleven_text_to_sound_v2"
    path: str = "/v1/sound-generation?output_format=mp3_44100_128"
    text: str = "text"
    backend: str = "elevenlabs_sound"
    url_name: str = "elevenlabs"
    env_var: str = "ELEVENLABS_API_KEY"

    def base_url(self, root: str) -> str:
        return root

    def answer(self) -> Act:
        return Act(chunks=(file(),), headers={"Content-Type": "audio/mpeg"})

    def nothing(self) -> Act:
        return Act(chunks=(b"<html>busy</html>",), headers={"Content-Type": "text/html"})

    def error(self, status: int, message: str, code: str = "") -> Act:
        return Act(status=status, body={"detail": {"status": code or "error", "message": message}})

    def key_in(self, asked: Asked) -> str:
        return asked.headers.get("xi-api-key", "")

    def text_in(self, asked: Asked) -> str:
        return str(asked.body[self.text])


@dataclass(frozen=True)
class Lyria:
    """Google's interactions with a song in them."""

    model: str = "google:lyria-3.5"
    path: str = "/v1beta/interactions"
    backend: str = "google_music"
    url_name: str = "google"
    env_var: str = "GEMINI_API_KEY"

    def base_url(self, root: str) -> str:
        return root

    def _told(self, status: str, sound: dict[str, Any] | None) -> Act:
        body = {
            "id": "song1", "status": status, "model": "lyria-3.5", "created": "2026-11-25T00:00:00Z",
            "updated": "2026-11-25T00:00:00Z", "usage": {"total_input_tokens": 12, "total_output_tokens": 900},
        }  # fmt: skip
        return Act(body={**body, **({"output_audio": sound} if sound else {})})

    def answer(self) -> Act:
        return self._told("completed", {"type": "audio", "data": b64(file()), "mime_type": "audio/mpeg"})

    def nothing(self) -> Act:
        return self._told("completed", None)

    def error(self, status: int, message: str, code: str = "") -> Act:
        return Act(status=status, body={"error": {"code": status, "message": message, "status": code or "UNKNOWN"}})

    def key_in(self, asked: Asked) -> str:
        return asked.headers.get("x-goog-api-key", "")

    def text_in(self, asked: Asked) -> str:
        return str(asked.body["input"])


ELEVEN_MUSIC = ElevenSounds("elevenlabs:music_v1", "/v1/music?output_format=mp3_44100_128", "prompt")
MUSIC_DIALECTS = (ElevenSounds(), ELEVEN_MUSIC, Lyria())


@dataclass(frozen=True)
class FalSounds(Fal):
    """fal, whose models of sound put it under another name."""

    model: str = "fal:fal-ai/stable-audio-25/text-to-audio"
    backend: str = "fal_sound"
    root: str = "/fal-ai/stable-audio-25"
    names: tuple[str, str, str] = ("seconds_total", "num_inference_steps", "guidance_scale")

    def answer(self, asked: Asked, provider: Provider) -> Act:
        act: Act = self.queue(asked, provider)
        if isinstance(act.body, dict) and "video" in act.body:
            return replace(act, body={"audio": {"url": provider.file_url, "content_type": "audio/wav"}, "seed": 3})
        return act

    def input_in(self, asked: Asked) -> Any:
        return asked.body


@dataclass(frozen=True)
class ReplicateSounds(Replicate):
    """Replicate, which gives an address."""

    model: str = "replicate:stability-ai/stable-audio-2.5"
    version: str = "stability-ai/stable-audio-2.5"
    backend: str = "replicate_sound"
    names: tuple[str, str, str] = ("duration", "steps", "cfg_scale")

    def input_in(self, asked: Asked) -> Any:
        return asked.body["input"]
