"""Servers that speak OpenAI's speech API: rows of `endpoints.toml` that speak, or a URL that a person gave."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from shared.backends.hosted import speech_api
from shared.backends.hosted.account import Account, listed_account, row_of
from shared.backends.hosted.speaking import SPEAKERS, SpeakingProfile
from shared.backends.hosted.speech_model import HostedSpeech, SpeechCall, SpeechPiece

if TYPE_CHECKING:
    from shared.catalog import Variant
    from shared.settings import Settings


class OpenAICompatibleSpeech(HostedSpeech):
    """`variant.options`: `endpoint` (a row's name), or `base_url` (a visitor's own server)."""

    package = distribution = "openai"

    def account(self, variant: Variant, settings: Settings) -> Account:
        """The row's account; for a visitor's own URL only the key typed for it in that session."""
        return listed_account(variant, settings, SPEAKERS, "doesn't speak")

    def profile(self, variant: Variant) -> SpeakingProfile:
        """What `speaking.toml` says of the model."""
        return row_of(variant, SPEAKERS).profile(variant.repo_id)

    def stream(self, call: SpeechCall) -> AsyncIterator[SpeechPiece]:
        """One call an utterance."""
        return speech_api.speech(call)
