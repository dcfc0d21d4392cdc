"""Music and sounds by fal's models: https://fal.ai/docs/inference-api/queue."""

from __future__ import annotations

from shared.backends.hosted.hosts import FAL
from shared.backends.hosted.sounds_at_host import SoundsAtHost


class FalSound(SoundsAtHost):
    """Models by their endpoint's name at fal in `variant.repo_id`."""

    host = FAL
