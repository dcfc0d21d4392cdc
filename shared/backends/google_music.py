"""Google's Lyria by `google-genai`'s interactions: a whole song from words.

https://ai.google.dev/gemini-api/docs/music-generation
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from shared.backends.base import Usage
from shared.backends.google_chat import google_client
from shared.backends.hosted.account import Account, provider_account
from shared.backends.hosted.sound_model import (
    HostedSound,
    SoundCall,
    SoundPiece,
    SoundProfile,
    sounding,
)
from shared.backends.hosted.speech_model import no_sound
from shared.errors import ContentFiltered

if TYPE_CHECKING:
    from shared.catalog import Variant
    from shared.settings import Settings


class GoogleMusic(HostedSound):
    """Lyria by its models' own names in `variant.repo_id`."""

    package, distribution = "google.genai", "google-genai"

    def account(self, variant: Variant, settings: Settings) -> Account:
        """Raises `MissingCredentials` without a key."""
        return provider_account("google", settings)

    def profile(self, variant: Variant) -> SoundProfile:
        """What `sounding.toml` says of the model."""
        return sounding("google", variant.repo_id)

    async def stream(self, call: SoundCall) -> AsyncIterator[SoundPiece]:
        """One call, one song."""
        client: Any = google_client(call.account, call.http)
        made = await client.aio.interactions.create(model=call.variant.repo_id, input=call.request.prompt)
        sound = made.output_audio
        if sound is None or not sound.data:
            if made.status in {"failed", "cancelled", "incomplete"}:
                raise ContentFiltered(call.account.name, f"It says that the song is {made.status}.")
            raise no_sound(call.account.name)
        try:
            data = base64.b64decode(sound.data, validate=True)
        except (binascii.Error, ValueError):
            raise no_sound(call.account.name) from None
        facts = {"served_model": str(made.model or ""), "request_id": made.id}
        if made.output_text:
            facts["lyrics"] = made.output_text
        yield SoundPiece(data=data, usage=_usage(made.usage), facts=facts)


def _usage(counted: Any) -> Usage | None:
    if counted is None:
        return None
    return Usage(input_tokens=counted.total_input_tokens, output_tokens=counted.total_output_tokens)
