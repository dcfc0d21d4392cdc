"""Servers that speak OpenAI's speech API: rows of `endpoints.toml` that speak, or a URL that a person gave."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from shared.backends.endpoints import ENDPOINTS
from shared.backends.hosted import speech_api
from shared.backends.hosted.account import CUSTOM, Account, endpoint_account
from shared.backends.hosted.speaking import SPEAKERS, SpeakingProfile
from shared.backends.hosted.speech_model import HostedSpeech, SpeechCall, SpeechPiece
from shared.errors import BackendError

if TYPE_CHECKING:
    from shared.catalog import Variant
    from shared.settings import Settings


class OpenAICompatibleSpeech(HostedSpeech):
    """`variant.options`: `endpoint` (a row's name), or `base_url` (a visitor's own server)."""

    package = distribution = "openai"

    def account(self, variant: Variant, settings: Settings) -> Account:
        """The row's account; for a visitor's own URL only the key typed for it in that session."""
        name = str(variant.options.get("endpoint", CUSTOM))
        if name in ENDPOINTS and name not in SPEAKERS:
            speaking = ", ".join(ENDPOINTS[each].name for each in SPEAKERS if each in ENDPOINTS and each != CUSTOM)
            raise BackendError(f"{ENDPOINTS[name].name} doesn't speak. Of the servers known, these do: {speaking}.")
        return endpoint_account(variant, settings)

    def profile(self, variant: Variant) -> SpeakingProfile:
        """What `speaking.toml` says of the model."""
        name = str(variant.options.get("endpoint", CUSTOM))
        return SPEAKERS.get(name, SPEAKERS[CUSTOM]).profile(variant.repo_id)

    def stream(self, call: SpeechCall) -> AsyncIterator[SpeechPiece]:
        """One call an utterance."""
        return speech_api.speech(call)
