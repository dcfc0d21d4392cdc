"""Solids by models at Replicate (TRELLIS, Hunyuan3D and their like): https://replicate.com/docs/reference/http."""

from __future__ import annotations

from shared.backends.hosted.hosts import REPLICATE
from shared.backends.hosted.solids_at_host import SolidsAtHost


class ReplicateSolid(SolidsAtHost):
    """`owner/name` of an official model, or `owner/name:version`, in `variant.repo_id`."""

    provider = "replicate"
    host = REPLICATE
