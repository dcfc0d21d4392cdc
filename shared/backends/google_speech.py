"""Google's Gemini models that speak, by `google-genai`: raw sound while it is made."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shared.backends.base import Usage
from shared.backends.google_chat import google_client, usage
from shared.backends.hosted.account import Account, provider_account
from shared.backends.hosted.sound_stream import SoundStream
from shared.backends.hosted.speaking import SPEAKERS, SpeakingProfile
from shared.backends.hosted.speech_model import HostedSpeech, SpeechCall, SpeechPiece, no_sound
from shared.errors import ContentFiltered

if TYPE_CHECKING:
    from shared.catalog import Variant
    from shared.settings import Settings

_MOST_SEED = 2**31  # the API's seeds are signed 32-bit numbers
_FILTERED = frozenset({"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "ESCALATION", "MODEL_ARMOR"})
_RATE = re.compile(r"rate=(\d{4,6})")


class GoogleSpeech(HostedSpeech):
    """Models of the Gemini API that speak, by their own names in `variant.repo_id`."""

    package, distribution = "google.genai", "google-genai"

    def account(self, variant: Variant, settings: Settings) -> Account:
        """Raises `MissingCredentials` without a key."""
        return provider_account("google", settings)

    def profile(self, variant: Variant) -> SpeakingProfile:
        """What `speaking.toml` says of the model."""
        return SPEAKERS["google"].profile(variant.repo_id)

    async def stream(self, call: SpeechCall) -> AsyncIterator[SpeechPiece]:
        """One call an utterance, as a stream."""
        client = google_client(call.account, call.http)
        for utterance in call.utterances:
            chunks = await client.aio.models.generate_content_stream(
                model=call.variant.repo_id,
                contents=_contents(call, utterance.text),
                config=_config(call, call.voice(utterance)),
            )
            sound, ended, counted, begins = SoundStream(call.profile.rate), False, None, True
            async for chunk in chunks:
                if begins:  # not before: the stream is there before anything was asked
                    yield SpeechPiece(begin=utterance)
                    begins = False
                counted = _usage(chunk.usage_metadata) if chunk.usage_metadata else counted
                for piece in _pieces(chunk, call, sound):
                    ended = ended or piece.end
                    yield replace(piece, end=False)
            yield SpeechPiece(end=ended, usage=counted)
            if not ended:
                return  # cut short: what is missing is told
        yield SpeechPiece(finish=True)


def _contents(call: SpeechCall, text: str) -> Any:
    """The text to the letter, and how to say it beside it, or before it for models that know no better."""
    from google.genai import types

    style = call.request.instructions
    if style and call.profile.style == "prompt":
        return [types.Content(role="user", parts=[types.Part(text=f"{style.strip().rstrip(':.')}: {text}")])]
    about = types.SpeechMetadata(style=style) if style else None
    return [types.Content(role="user", parts=[types.Part(text=text, speech_metadata=about)])]


def _config(call: SpeechCall, voice: str) -> Any:
    from google.genai import types

    request, older = call.request, call.profile.style == "prompt"
    named = {"prebuilt_voice_config": types.PrebuiltVoiceConfig(voice_name=voice)} if older else {"voice": voice}
    speech = types.SpeechConfig(voice_config=types.VoiceConfig(**named), language_code=request.language)
    return types.GenerateContentConfig(
        response_modalities=["AUDIO"],
        speech_config=speech,
        temperature=request.temperature,
        seed=None if request.seed is None else request.seed % _MOST_SEED,
    )


def _pieces(chunk: Any, call: SpeechCall, sound: SoundStream) -> Iterator[SpeechPiece]:
    if chunk.model_version:
        yield SpeechPiece(facts={"served_model": chunk.model_version, "request_id": chunk.response_id})
    if blocked := chunk.prompt_feedback and chunk.prompt_feedback.block_reason:
        raise ContentFiltered(call.account.name, f"It names the reason “{blocked.value}”.")
    for candidate in (chunk.candidates or [])[:1]:
        for part in (candidate.content and candidate.content.parts) or []:
            yield from _part(part, call, sound)
        reason = candidate.finish_reason and candidate.finish_reason.value
        if reason in _FILTERED:
            raise ContentFiltered(call.account.name, f"It names the reason “{reason}”.")
        if reason:
            yield SpeechPiece(end=True)


def _part(part: Any, call: SpeechCall, sound: SoundStream) -> Iterator[SpeechPiece]:
    if not part.inline_data or not part.inline_data.data:
        return
    kind = (part.inline_data.mime_type or "").lower()
    if not kind.startswith(("audio/l16", "audio/pcm")):
        raise no_sound(call.account.name)
    rate = _RATE.search(kind)
    if rate and not 4_000 <= int(rate[1]) <= 192_000:
        raise no_sound(call.account.name)
    sound.rate = int(rate[1]) if rate else sound.rate
    samples = sound.feed(part.inline_data.data)
    if samples is not None:
        yield SpeechPiece(samples=samples, rate=sound.rate)


def _usage(counted: Any) -> Usage:
    """As for text, and the tokens of sound, which have a price of their own."""
    spoken = [d.token_count or 0 for d in counted.candidates_tokens_details or [] if d.modality.value == "AUDIO"]
    return replace(usage(counted), output_audio_tokens=sum(spoken) if spoken else None)
