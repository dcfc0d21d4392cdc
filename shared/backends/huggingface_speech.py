"""Hugging Face's inference providers that speak, asked in the form that `huggingface_hub` gives each.

Its own `text_to_speech` asks the Hub in a way that can't be stopped, and fetches sound from any address, of any size.
So its requests are sent, and its answers read, here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from shared.backends.endpoints import PROVIDERS
from shared.backends.hosted import hub_providers
from shared.backends.hosted.account import Account, provider_account
from shared.backends.hosted.download import fetch
from shared.backends.hosted.redaction import redact
from shared.backends.hosted.sound_stream import SoundStream, readable
from shared.backends.hosted.speaking import SPEAKERS, SpeakingProfile
from shared.backends.hosted.speech_model import HostedSpeech, SpeechCall, SpeechPiece, no_sound
from shared.data_urls import file_in
from shared.errors import KeyRefused, ProviderError

if TYPE_CHECKING:
    from huggingface_hub.inference._common import RequestParameters

    from shared.catalog import Variant
    from shared.settings import Settings

TASK = "text-to-speech"
_SETTINGS = ("voice", "speed", "temperature", "language")


class HuggingFaceSpeech(HostedSpeech):
    """`variant.options["provider"]`: one of the Hub's inference providers, or "auto"."""

    package = distribution = "huggingface_hub"

    def account(self, variant: Variant, settings: Settings) -> Account:
        """Raises `MissingCredentials` without a token."""
        return provider_account("huggingface", settings)

    def profile(self, variant: Variant) -> SpeakingProfile:
        """What `speaking.toml` says."""
        return SPEAKERS["huggingface"].profile(variant.repo_id)

    def patience(self, settings: Settings) -> float | None:
        """A part comes as a whole, and is silent for longer than text."""
        return settings.picture_timeout

    async def stream(self, call: SpeechCall) -> AsyncIterator[SpeechPiece]:
        """One call an utterance, each a whole file."""
        if not call.account.reveal().startswith("hf_"):  # its requests would go to the provider itself
            raise KeyRefused(call.account.name, PROVIDERS["huggingface"].env_var)
        provider, provider_id = await hub_providers.choose(call, TASK)
        yield SpeechPiece(progress=f"{provider} speaks", facts={"inference_provider": provider})
        for utterance in call.utterances:
            given = {name: getattr(call.request, name) for name in _SETTINGS}
            given["voice"] = call.voice(utterance) or None
            made = hub_providers.written(call, TASK, provider, provider_id, utterance.text, _named(provider, given))
            sound = SoundStream()
            samples = sound.feed(await _file(call, made))
            yield SpeechPiece(begin=utterance)
            rest = readable(sound)
            for part in (samples, rest):
                if part is not None:
                    yield SpeechPiece(samples=part, rate=sound.rate)
            if samples is None and rest is None:
                raise no_sound(call.account.name)
            yield SpeechPiece(end=True)
        yield SpeechPiece(finish=True)


def _named(provider: str, given: dict[str, Any]) -> dict[str, Any]:
    """The settings, and the kind of file that those want to be told."""
    return {**given, "response_format": "wav"} if provider in {"together", "deepinfra"} else given


async def _file(call: SpeechCall, made: RequestParameters) -> bytes:
    """Ask the router for it. Raises what a refusal raises, or `ProviderError`."""
    import httpx2

    router = httpx2.URL(call.account.base_url)
    url = httpx2.URL(made.url).copy_with(scheme=router.scheme, host=router.host, port=router.port)
    answer = await call.http.post(url, json=made.json, content=made.data, headers=dict(made.headers))
    answer.raise_for_status()
    if not answer.headers.get("content-type", "").startswith("application/json"):
        return bytes(answer.content)
    return await _named_file(answer.json(), call)


async def _named_file(body: Any, call: SpeechCall) -> bytes:
    """The sound that a JSON answer holds or names by its address, wherever a provider puts it."""
    name, body = call.account.name, body if isinstance(body, dict) else {}
    if body.get("status") in {"failed", "canceled"}:
        raise ProviderError(name, f"{name} failed to say this: {redact(str(body.get('error') or 'no reason given'))}")
    for place in ("audio", "output"):
        found = body.get(place)
        found = found[0] if isinstance(found, list) and found else found
        found = found.get("url") if isinstance(found, dict) else found
        if isinstance(found, str) and found.startswith(("http://", "https://")):
            return await fetch(found, call, "sound")
        if isinstance(found, str) and found:
            return _decoded(found, name)
    raise no_sound(name)


def _decoded(text: str, name: str) -> bytes:
    try:
        return file_in(text)
    except ValueError:
        raise no_sound(name) from None
