"""What goes to a host's model of clips: fields by the names that `clips.toml` gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.backends.hosted.clip_model import ClipCall, ClipPiece, HostedClips
from shared.backends.hosted.clips import MAKERS, ClipProfile
from shared.backends.hosted.hosts import AtHost
from shared.backends.hosted.queues import CLIP
from shared.requests import VideoRequest

if TYPE_CHECKING:
    from shared.catalog import Variant


class ClipsAtHost(AtHost[VideoRequest, ClipProfile, ClipPiece], HostedClips):
    """A backend names its `host` and, as for all clips, its `provider`."""

    wanted = CLIP

    def profile(self, variant: Variant) -> ClipProfile:
        """What `clips.toml` says of the model."""
        return MAKERS[self.provider].profile(variant.repo_id)

    def given(self, call: ClipCall) -> dict[str, Any]:
        """The prompt, and what is set, by the model's own names."""
        request, profile, size = call.request, call.profile, call.size
        values: dict[str, Any] = {
            "duration": None if call.seconds is None else round(call.seconds),
            "size": size.name if size is not None and (request.image is None or profile.start_sizes) else None,
            "scale": size.scale if size is not None else None,
            "image": request.image.data_url if request.image is not None else None,
            "last_image": request.last_image.data_url if request.last_image is not None else None,
            "video": request.video.data_url if request.video is not None else None,
        }
        named = {profile.names[name]: value for name, value in values.items() if name in profile.names and value}
        return {"prompt": call.prompt, **profile.body, **named, **call.given}
