"""A voice at ElevenLabs that is made of a recording for one run, and deleted after it ("instant voice cloning").

https://elevenlabs.io/docs/api-reference/voices/ivc/create and https://elevenlabs.io/docs/api-reference/voices/delete
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

from shared.backends.hosted.speech_model import SpeechCall
from shared.errors import ProviderError
from shared.media.sound.files import encode
from shared.outputs import AudioOutput

KEPT = "The imitated voice could not be deleted at ElevenLabs: delete “Playground, one run” among your voices."
_DELETING = 10.0  # seconds at most: who pressed Stop waits for it


class ImitatedVoice:
    """`id` while the run goes on; "" without a recording. `note`: what went wrong with its deletion."""

    id = ""
    note = ""


@contextlib.asynccontextmanager
async def imitated(call: SpeechCall) -> AsyncIterator[ImitatedVoice]:
    """The voice of the request's recording for the length of the block. Raises `ProviderError`, or the client's own."""
    voice = ImitatedVoice()
    reference = call.request.reference
    if reference is None:
        yield voice
        return
    wav = encode(AudioOutput(pcm=reference.pcm, sample_rate=reference.sample_rate), "wav")
    address, headers = f"{call.account.root}/v1/voices", {"xi-api-key": call.account.reveal()}
    files = {"files": ("voice.wav", wav, "audio/wav")}
    answer = await call.http.post(f"{address}/add", data={"name": "Playground, one run"}, files=files, headers=headers)
    answer.raise_for_status()
    told: Any = answer.json()
    voice.id = str(told.get("voice_id") or "") if isinstance(told, dict) else ""
    if not voice.id:
        raise ProviderError(call.account.name, f"{call.account.name} made no voice of this recording. Record another.")
    try:
        yield voice
    finally:
        voice.note = await _deleted(call, f"{address}/{quote(voice.id, safe='')}", headers)


async def _deleted(call: SpeechCall, address: str, headers: dict[str, str]) -> str:
    """Delete the voice, also while the run is being stopped; "" or, where it is still there, what to do."""
    stopped: asyncio.CancelledError | None = None
    for _ in range(2):  # a stop that comes meanwhile breaks off the first attempt alone
        try:
            async with asyncio.timeout(_DELETING):
                (await call.http.delete(address, headers=headers)).raise_for_status()
            break
        except asyncio.CancelledError as error:
            stopped = error
        except Exception:  # whatever it is, the person must know that the voice is still there
            return KEPT
    if stopped is not None:
        raise stopped
    return ""
