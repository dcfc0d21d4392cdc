"""Solids by fal's models (TRELLIS, Hunyuan3D and their like): https://fal.ai/docs/model-api-reference/3d-api/overview."""

from __future__ import annotations

from shared.backends.hosted.hosts import FAL
from shared.backends.hosted.solids_at_host import SolidsAtHost


class FalSolid(SolidsAtHost):
    """Models by their endpoint's name at fal in `variant.repo_id`, for example `fal-ai/trellis`."""

    provider = "fal"
    host = FAL
