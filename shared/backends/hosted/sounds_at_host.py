"""Music and sounds by models at a host. Each is a job there, which is found again when nobody waited for its end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from shared import pricing
from shared.backends.base import Capabilities
from shared.backends.hosted.clips import PROVIDERS
from shared.backends.hosted.download import fetch
from shared.backends.hosted.hosts import AtHost
from shared.backends.hosted.job_frame import JobCall, JobFrame, Seen
from shared.backends.hosted.queues import SOUND
from shared.backends.hosted.sound_model import MAX_REPLY, HostedSound, SoundPiece, SoundProfile, asked, sounding
from shared.pricing import Cost
from shared.requests import AudioRequest, Request

if TYPE_CHECKING:
    from shared.catalog import Variant
    from shared.settings import Settings


class SoundsAtHost(AtHost[AudioRequest, SoundProfile, SoundPiece], HostedSound):
    """A backend names its `host`."""

    call_class: ClassVar[Any] = JobCall
    wanted = SOUND

    def profile(self, variant: Variant) -> SoundProfile:
        """What `sounding.toml` says of the model."""
        return sounding(self.host.provider, variant.repo_id)

    def capabilities(self, variant: Variant) -> Capabilities:
        """What the table says of the model; a run is a job."""
        return replace(super().capabilities(variant), jobs=True)

    def stream(self, call: Any) -> AsyncIterator[SoundPiece]:
        """As a job, not as one answer."""
        return JobFrame.stream(self, call)

    def given(self, call: Any) -> dict[str, Any]:
        """The words and the settings, by the model's own names."""
        return asked(call.request, call.profile)

    def every(self, call: Any) -> float:
        """As the table says, where the server's settings say nothing."""
        seconds: float = call.profile.every if call.settings.job_poll is None else call.settings.job_poll
        return seconds

    def waiting(self, seen: Seen) -> SoundPiece:
        """How far it is."""
        name = PROVIDERS[self.host.provider].name
        return SoundPiece(words=seen.words or f"{name} is at work; you may leave, it is kept under “Jobs”")

    async def fetch(self, call: Any, seen: Seen) -> SoundPiece:
        """The file."""
        data = await fetch(str(seen.ready), call, "sound", MAX_REPLY, again=True)
        return SoundPiece(data=data, facts={"cost": self._price(call.variant), **seen.facts})

    def quote(self, variant: Variant, settings: Settings, request: Request) -> Cost:
        """What it will cost by the list."""
        return self._price(variant)

    def _price(self, variant: Variant) -> Cost:
        return pricing.by_the_run(self.host.provider, variant.repo_id)
