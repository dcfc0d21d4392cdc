"""diffusers: clips from words and pictures by its video pipelines, on CUDA, MPS or the processor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.backends.base import Capabilities, require

if TYPE_CHECKING:
    from shared.backends.diffusion.video import VideoModel
    from shared.catalog import Variant
    from shared.settings import Settings
    from shared.streaming import Emit

USUAL = "WanPipeline"  # what is taken for a pipeline that isn't known before it is loaded


class DiffusersVideo:
    """A Hub id, or a folder in diffusers' format. `variant.options`:

    `pipeline` (the class's name, a row of `diffusion/video.toml`, so that what it can do is known before it is loaded),
    `files` (patterns), `adapter`, `adapter_weight` (a LoRA, as of pictures).
    """

    def check(self, variant: Variant, settings: Settings) -> None:
        """Raise `MissingDependency`."""
        for module in ("torch", "diffusers", "transformers", "av"):
            require(module)
        if variant.options.get("adapter"):
            require("peft")

    def capabilities(self, variant: Variant) -> Capabilities:
        """What the pipeline takes; of one that isn't known yet, what most take."""
        from shared.backends.diffusion.video_kinds import kinds

        kind = kinds().get(str(variant.options.get("pipeline", USUAL)), kinds()[USUAL])
        return Capabilities(
            parameters=kind.parameters, why_not=kind.why_not, seed="exact", images=True, clips=kind.clips
        )

    def load(self, variant: Variant, settings: Settings, emit: Emit) -> VideoModel:
        """Download if need be, check and load. Raises `CorruptWeights`, `OutOfMemory`, `HubUnavailable`."""
        from shared.backends.diffusers_image import facts
        from shared.backends.diffusion.loading import load
        from shared.backends.diffusion.video import VideoModel
        from shared.backends.diffusion.video_kinds import kind_of
        from shared.backends.local import failures
        from shared.backends.local.threads import share_cores

        share_cores()
        with failures.loading(variant):
            loaded = load(variant, settings, emit)
            kind = kind_of(loaded.pipe, loaded.folder.name)
        return VideoModel(loaded.pipe, kind, loaded.folder, facts(variant, loaded))
