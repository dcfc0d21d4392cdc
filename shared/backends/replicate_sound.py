"""Music and sounds by models at Replicate: https://replicate.com/docs/reference/http."""

from __future__ import annotations

from shared.backends.hosted.hosts import REPLICATE
from shared.backends.hosted.sounds_at_host import SoundsAtHost


class ReplicateSound(SoundsAtHost):
    """`owner/name` of an official model, or `owner/name:version`, in `variant.repo_id`."""

    host = REPLICATE
