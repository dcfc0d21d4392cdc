"""What goes to a host's model of solids: fields by the names that `solids.toml` gives them."""

from __future__ import annotations

from typing import Any

from shared.backends.hosted.clip_model import ClipPiece
from shared.backends.hosted.hosts import AtHost
from shared.backends.hosted.queues import SOLID
from shared.backends.hosted.solid_model import HostedSolids
from shared.backends.hosted.solids import SolidProfile
from shared.requests import SolidRequest
from shared.requests.solid import VIEWS


class SolidsAtHost(AtHost[SolidRequest, SolidProfile, ClipPiece], HostedSolids):
    """A backend names its `host` and, as for all solids, its `provider`."""

    wanted = SOLID

    def given(self, call: Any) -> dict[str, Any]:
        """The words or the pictures, and what is set, by the model's own names."""
        request, profile = call.request, call.profile
        given: dict[str, Any] = {"prompt": request.prompt} if profile.words and request.prompt.strip() else {}
        pictures = {name: part.data_url for name in ("image", *VIEWS) if (part := getattr(request, name)) is not None}
        if pictures and profile.either:  # of the two it takes one
            given = {}
        if pictures and profile.listed:
            given[profile.picture] = list(pictures.values())
        else:
            given |= {profile.views.get(name, profile.picture): url for name, url in pictures.items()}
        for ours, theirs in profile.sent_as.items():
            if (value := getattr(request, ours)) is not None:
                given[theirs] = value
        return {**profile.body, **given}
