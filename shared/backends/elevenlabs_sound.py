"""ElevenLabs' music and sound effects by its HTTP API: https://elevenlabs.io/docs/api-reference/text-to-sound-effects."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from shared.backends.hosted.account import Account, account_at
from shared.backends.hosted.sound_model import HostedSound, SoundCall, SoundPiece, SoundProfile, asked, sounding
from shared.backends.hosted.speaking import PROVIDERS

if TYPE_CHECKING:
    from shared.catalog import Variant
    from shared.settings import Settings

_FORMAT = "mp3_44100_128"  # the best that every account has


class ElevenLabsSound(HostedSound):
    """Models of api.elevenlabs.io by their own names in `variant.repo_id`."""

    package = distribution = "httpx2"

    def account(self, variant: Variant, settings: Settings) -> Account:
        """Raises `MissingCredentials` without a key."""
        return account_at(PROVIDERS["elevenlabs"], settings)

    def profile(self, variant: Variant) -> SoundProfile:
        """What `sounding.toml` says of the model."""
        return sounding("elevenlabs", variant.repo_id)

    async def stream(self, call: SoundCall) -> AsyncIterator[SoundPiece]:
        """One call, one file."""
        url = f"{call.account.root}{call.profile.path}?output_format={_FORMAT}"
        body = {**asked(call.request, call.profile), "model_id": call.variant.repo_id}
        answer = await call.http.post(url, json=body, headers={"xi-api-key": call.account.reveal()})
        answer.raise_for_status()
        yield SoundPiece(data=answer.content)
