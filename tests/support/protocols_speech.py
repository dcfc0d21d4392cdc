"""What each provider's API for speech says on the wire: sound in pieces, times of words, refusals."""

from __future__ import annotations

import base64
import io
import json
import wave
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from tests.support.fake_server import Act, Asked, FakeServer
from tests.support.protocols import data
from tests.support.protocols_images import bearer, openai_error

RATE = 24_000
SECONDS = 0.6
# A tone with soft edges: no part of it is quiet enough to be trimmed, and none clicks.
_T = np.arange(round(RATE * SECONDS)) / RATE
PCM: bytes = (
    (9000 * np.sin(2 * np.pi * 220 * _T) * np.minimum(1, 40 * np.minimum(_T + 0.01, SECONDS - _T)))
    .astype("<i2")
    .tobytes()
)
TEXT = "What is blue?"


def b64(sound: bytes) -> str:
    """Base64 as text."""
    return base64.b64encode(sound).decode()


def wav(pcm: bytes = PCM, rate: int = RATE) -> bytes:
    """A WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(pcm)
    return file.getvalue()


def cut_up(sound: bytes, count: int = 5) -> tuple[bytes, ...]:
    """The bytes in pieces whose borders fall within samples."""
    size = len(sound) // count | 1
    return tuple(sound[at : at + size] for at in range(0, len(sound), size))


class SpeechDialect(Protocol):
    """One provider's way of speaking. `streams`: it is heard before all of it is there."""

    model: str
    backend: str
    url_name: str
    path: str
    env_var: str
    seed: str
    streams: bool

    def base_url(self, root: str) -> str: ...
    def answer(self, pcm: bytes = PCM) -> Act: ...
    def opening(self) -> Act: ...
    def filtered(self) -> Act | None: ...
    def error(self, status: int, message: str, code: str = "") -> Act: ...
    def key_in(self, asked: Asked) -> str: ...
    def text_in(self, asked: Asked) -> str: ...


@dataclass(frozen=True)
class SpeechEvents:
    """OpenAI's speech API with server-sent events."""

    model: str = "openai:gpt-4o-mini-tts"
    backend: str = "openai_speech"
    url_name: str = "openai"
    path: str = "/v1/audio/speech"
    env_var: str = "OPENAI_API_KEY"
    seed: str = "none"
    streams: bool = True

    def base_url(self, root: str) -> str:
        return root + "/v1"

    def _pieces(self, pcm: bytes) -> list[dict[str, Any]]:
        return [{"type": "speech.audio.delta", "audio": b64(piece)} for piece in cut_up(pcm)]

    def answer(self, pcm: bytes = PCM) -> Act:
        usage = {"input_tokens": 14, "output_tokens": 101, "total_tokens": 115}
        return Act(chunks=data(*self._pieces(pcm), {"type": "speech.audio.done", "usage": usage}))

    def opening(self) -> Act:
        return Act(chunks=data(*self._pieces(PCM)), after="hang")

    def filtered(self) -> Act:
        return self.error(400, "Your request was rejected by the safety system.", "content_policy_violation")

    def error(self, status: int, message: str, code: str = "") -> Act:
        return openai_error(status, message, code)

    def key_in(self, asked: Asked) -> str:
        return bearer(asked)

    def text_in(self, asked: Asked) -> str:
        return str(asked.body["input"])


@dataclass(frozen=True)
class SpeechBytes(SpeechEvents):
    """The same without events, as tts-1 has it: the raw sound itself."""

    model: str = "openai:tts-1"

    def answer(self, pcm: bytes = PCM) -> Act:
        return Act(chunks=cut_up(pcm), headers={"Content-Type": "audio/pcm"})

    def opening(self) -> Act:
        return Act(chunks=cut_up(PCM), headers={"Content-Type": "audio/pcm"}, after="hang")


@dataclass(frozen=True)
class SpeechFiles(SpeechEvents):
    """The speech API as the rows of endpoints.toml and a server by its URL speak it: a WAV that streams."""

    model: str = "groq:canopylabs/orpheus-v1-english"
    backend: str = "openai_compatible_speech"
    url_name: str = "groq"
    path: str = "/v1/audio/speech"
    env_var: str = "GROQ_API_KEY"

    def answer(self, pcm: bytes = PCM) -> Act:
        return Act(chunks=cut_up(wav(pcm)), headers={"Content-Type": "audio/wav"})

    def opening(self) -> Act:
        return Act(chunks=cut_up(wav()), headers={"Content-Type": "audio/wav"}, after="hang")


@dataclass(frozen=True)
class GeminiSpeech:
    """Google's generateContent with sound, streamed."""

    model: str = "google:gemini-3.8-flash-tts"
    backend: str = "google_speech"
    url_name: str = "google"
    path: str = "/v1beta/models/gemini-3.8-flash-tts:streamGenerateContent?alt=sse"
    env_var: str = "GEMINI_API_KEY"
    seed: str = "best-effort"
    streams: bool = True

    def base_url(self, root: str) -> str:
        return root

    def _chunk(self, sound: bytes = b"", finish: str | None = None) -> dict[str, Any]:
        inline = {"inlineData": {"mimeType": f"audio/L16;codec=pcm;rate={RATE}", "data": b64(sound)}}
        candidate: dict[str, Any] = {"index": 0, "content": {"role": "model", "parts": [inline] if sound else []}}
        if finish:
            candidate["finishReason"] = finish
        return {"candidates": [candidate], "modelVersion": "gemini-3.8-flash-tts", "responseId": "g1"}

    def answer(self, pcm: bytes = PCM) -> Act:
        usage = {
            "promptTokenCount": 14, "candidatesTokenCount": 101, "totalTokenCount": 115,
            "candidatesTokensDetails": [{"modality": "AUDIO", "tokenCount": 101}],
        }  # fmt: skip
        end = {**self._chunk(finish="STOP"), "usageMetadata": usage}
        return Act(chunks=data(*map(self._chunk, cut_up(pcm)), end))

    def opening(self) -> Act:
        return Act(chunks=data(*map(self._chunk, cut_up(PCM))), after="hang")

    def filtered(self) -> Act:
        return Act(chunks=data(self._chunk(finish="SAFETY")))

    def error(self, status: int, message: str, code: str = "") -> Act:
        return Act(status=status, body={"error": {"code": status, "message": message, "status": code or "UNKNOWN"}})

    def key_in(self, asked: Asked) -> str:
        return asked.headers.get("x-goog-api-key", "")

    def text_in(self, asked: Asked) -> str:
        return str(asked.body["contents"][0]["parts"][0]["text"])


@dataclass(frozen=True)
class HubSpeech:
    """Hugging Face: the Hub says who speaks with the model, and the router passes the request on in that one's form."""

    model: str = "huggingface:hexgrad/Kokoro-82M"
    backend: str = "huggingface_speech"
    url_name: str = "hf"
    path: str = "/fal-ai/fal-ai/kokoro"
    env_var: str = "HF_TOKEN"
    seed: str = "none"
    streams: bool = False
    provider: str = "fal-ai"

    def base_url(self, root: str) -> str:
        return root + "/v1"

    def urls(self, root: str) -> dict[str, str]:
        """Where the Hub itself is."""
        return {"huggingface_hub": root}

    def prepare(self, fake: FakeServer) -> None:
        """The Hub's own answer, and the place where fal keeps what it made."""
        rows = {
            "nobody-knows": {"status": "live", "providerId": "x", "task": "text-to-speech"},
            self.provider: {"status": "live", "providerId": "fal-ai/kokoro", "task": "text-to-speech"},
        }
        fake.routes["/api/models/"] = lambda asked: Act(body={"id": "m", "inferenceProviderMapping": rows})
        fake.routes["/files/"] = lambda asked: Act(
            body=base64.urlsafe_b64decode(asked.path.rpartition("/")[2]), headers={"Content-Type": "audio/wav"}
        )

    def answer(self, pcm: bytes = PCM) -> Act:
        return Act(body={"audio": {"url": "data:audio/wav;base64," + b64(wav(pcm))}})

    def opening(self) -> Act:
        return Act(before="hang")

    def filtered(self) -> Act | None:
        return None

    def error(self, status: int, message: str, code: str = "") -> Act:
        return openai_error(status, message, code)

    def key_in(self, asked: Asked) -> str:
        return bearer(asked)

    def text_in(self, asked: Asked) -> str:
        return str(asked.body["text"])


@dataclass(frozen=True)
class ElevenLabs:
    """ElevenLabs' stream with timestamps: lines of JSON."""

    model: str = "elevenlabs:eleven_flash_v2_5"
    backend: str = "elevenlabs"
    url_name: str = "elevenlabs"
    path: str = "/v1/text-to-speech/JBFqnCBsd6RMkjVDRZzb/stream/with-timestamps?output_format=pcm_24000"
    env_var: str = "ELEVENLABS_API_KEY"
    seed: str = "best-effort"
    streams: bool = True

    def base_url(self, root: str) -> str:
        return root

    def lines(self, pcm: bytes, text: str = TEXT, relative: bool = False) -> tuple[str, ...]:
        """Each line with its sound, and the times of its characters from the beginning or from its own sound."""
        pieces = cut_up(pcm)
        share = -(-len(text) // len(pieces))
        told = []
        for number, piece in enumerate(pieces):
            at = number * share
            letters = text[at : at + share]
            lasting = len(piece) / 2 / RATE / max(1, len(letters)) if relative else len(pcm) / 2 / RATE / len(text)
            first = 0.0 if relative else at * lasting
            starts = [round(first + n * lasting, 4) for n in range(len(letters))]
            times = {
                "characters": list(letters),
                "character_start_times_seconds": starts,
                "character_end_times_seconds": [round(s + lasting, 4) for s in starts],
            }
            told.append(json.dumps({"audio_base64": b64(piece), "alignment": times if letters else None}) + "\n")
        return tuple(told)

    def answer(self, pcm: bytes = PCM) -> Act:
        return Act(chunks=self.lines(pcm), headers={"Content-Type": "application/json"})

    def opening(self) -> Act:
        return Act(chunks=self.lines(PCM), headers={"Content-Type": "application/json"}, after="hang")

    def filtered(self) -> Act | None:
        return None

    def error(self, status: int, message: str, code: str = "") -> Act:
        return Act(status=status, body={"detail": {"status": code or "error", "message": message}})

    def key_in(self, asked: Asked) -> str:
        return asked.headers.get("xi-api-key", "")

    def text_in(self, asked: Asked) -> str:
        return str(asked.body["text"])


SPEECH_DIALECTS: tuple[SpeechDialect, ...] = (
    SpeechEvents(),
    SpeechBytes(),
    SpeechFiles(),
    GeminiSpeech(),
    HubSpeech(),
    ElevenLabs(),
)
