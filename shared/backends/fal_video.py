"""fal's models by its queue, without Hugging Face between: https://fal.ai/docs/inference-api/queue."""

from __future__ import annotations

from shared.backends.hosted.clip_model import ClipCall
from shared.backends.hosted.clips_at_host import ClipsAtHost
from shared.backends.hosted.hosts import FAL

_FROM_WORDS, _FROM_PICTURE = "text-to-video", "image-to-video"  # ends of the names of models that come in two


class FalVideo(ClipsAtHost):
    """Models by their endpoint's name at fal in `variant.repo_id`, for example `fal-ai/pika/v2.2/text-to-video`."""

    provider = "fal"
    host = FAL

    def named(self, call: ClipCall) -> str:
        """The model's sister, where it begins with a picture."""
        model = call.variant.repo_id
        if call.request.image is not None and model.endswith(_FROM_WORDS):
            return model.removesuffix(_FROM_WORDS) + _FROM_PICTURE
        return model
