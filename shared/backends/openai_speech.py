"""OpenAI's voices, heard while they speak: by its speech API, and by the Realtime API that follows it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from shared.backends.base import require
from shared.backends.hosted import realtime_speech, speech_api
from shared.backends.hosted.account import Account, provider_account
from shared.backends.hosted.speaking import SPEAKERS, SpeakingProfile
from shared.backends.hosted.speech_model import HostedSpeech, SpeechCall, SpeechPiece

if TYPE_CHECKING:
    from shared.catalog import Variant
    from shared.settings import Settings


REALTIME = "gpt-realtime"  # what these models' names begin with


class OpenAISpeech(HostedSpeech):
    """Speech models of api.openai.com by their own names in `variant.repo_id`."""

    package = distribution = "openai"

    def check(self, variant: Variant, settings: Settings) -> None:
        """As every provider; realtime models need the package websockets too."""
        super().check(variant, settings)
        if variant.repo_id.startswith(REALTIME):
            require("websockets")

    def account(self, variant: Variant, settings: Settings) -> Account:
        """Raises `MissingCredentials` without a key."""
        return provider_account("openai", settings)

    def profile(self, variant: Variant) -> SpeakingProfile:
        """What `speaking.toml` says of the model."""
        return SPEAKERS["openai"].profile(variant.repo_id)

    def stream(self, call: SpeechCall) -> AsyncIterator[SpeechPiece]:
        """One call or connection an utterance."""
        realtime = call.variant.repo_id.startswith(REALTIME)
        return realtime_speech.speech(call) if realtime else speech_api.speech(call)
