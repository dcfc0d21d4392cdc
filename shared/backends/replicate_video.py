"""Clips by models at Replicate: https://replicate.com/docs/reference/http."""

from __future__ import annotations

from shared.backends.hosted.clips_at_host import ClipsAtHost
from shared.backends.hosted.hosts import REPLICATE


class ReplicateVideo(ClipsAtHost):
    """`owner/name` of an official model, or `owner/name:version`, in `variant.repo_id`."""

    provider = "replicate"
    host = REPLICATE
