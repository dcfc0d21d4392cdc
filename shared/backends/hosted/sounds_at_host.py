"""Music and sounds by models at a host. Each is a job there, which is waited for: it takes a minute at most, and costs
cents, so that none is kept for later."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, ClassVar

from shared import pricing
from shared.backends.hosted.download import fetch
from shared.backends.hosted.hosts import AtHost
from shared.backends.hosted.job_frame import JobCall, JobFrame, Seen
from shared.backends.hosted.queues import SOUND
from shared.backends.hosted.sound_model import MAX_REPLY, HostedSound, SoundPiece, SoundProfile, asked, sounding
from shared.requests import AudioRequest

if TYPE_CHECKING:
    from shared.catalog import Variant


class SoundsAtHost(AtHost[AudioRequest, SoundProfile, SoundPiece], HostedSound):
    """A backend names its `host`."""

    call_class: ClassVar[Any] = JobCall
    wanted = SOUND
    left = "It may go on there, and be charged."

    def profile(self, variant: Variant) -> SoundProfile:
        """What `sounding.toml` says of the model."""
        return sounding(self.host.provider, variant.repo_id)

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
        return SoundPiece(words=seen.words or "The provider is at work")

    async def fetch(self, call: Any, seen: Seen) -> SoundPiece:
        """The file."""
        data = await fetch(str(seen.ready), call, "sound", MAX_REPLY, again=True)
        cost = pricing.by_the_run(self.host.provider, call.variant.repo_id)
        return SoundPiece(data=data, facts={"cost": cost, **seen.facts})
