"""OpenAI's speech API: raw sound while it is made."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from shared.backends.hosted import speech_api
from shared.backends.hosted.account import Account, provider_account
from shared.backends.hosted.speaking import SPEAKERS, SpeakingProfile
from shared.backends.hosted.speech_model import HostedSpeech, SpeechCall, SpeechPiece

if TYPE_CHECKING:
    from shared.catalog import Variant
    from shared.settings import Settings


class OpenAISpeech(HostedSpeech):
    """Speech models of api.openai.com by their own names in `variant.repo_id`."""

    package = distribution = "openai"

    def account(self, variant: Variant, settings: Settings) -> Account:
        """Raises `MissingCredentials` without a key."""
        return provider_account("openai", settings)

    def profile(self, variant: Variant) -> SpeakingProfile:
        """What `speaking.toml` says of the model."""
        return SPEAKERS["openai"].profile(variant.repo_id)

    def stream(self, call: SpeechCall) -> AsyncIterator[SpeechPiece]:
        """One call an utterance."""
        return speech_api.speech(call)
