"""diffusers: clips from words and pictures by its video pipelines, on CUDA, MPS or the processor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.backends.base import Capabilities, require

if TYPE_CHECKING:
    from shared.backends.diffusion.video import VideoModel
    from shared.catalog import Variant
    from shared.settings import Settings
    from shared.streaming import Emit

USUAL = "WanPipeline"  # whose lengths are taken for those of a pipeline that isn't known before it is loaded


class DiffusersVideo:
    """A Hub id, or a folder in diffusers' format. `variant.options`:

    `pipeline` (the class's name, a row of `diffusion/video.toml`, so that what it can do is known before it is loaded),
    `files` (patterns), `adapter`, `adapter_weight` (a LoRA, as of pictures), `gguf` (a Hub id, whose file is
    `variant.filename`, or a path: the transformer's weights, quantized).
    """

    def check(self, variant: Variant, settings: Settings) -> None:
        """Raise `MissingDependency`."""
        for module in ("torch", "diffusers", "transformers", "av"):
            require(module)
        if variant.options.get("adapter"):
            require("peft")
        if variant.options.get("gguf"):
            require("gguf")

    def capabilities(self, variant: Variant) -> Capabilities:
        """What the pipeline takes; of one that isn't known before it is loaded, what any takes."""
        from shared.backends.diffusion.video_kinds import WHY_NOT, kinds, named_in

        name = variant.options.get("pipeline") or named_in(variant.repo_id)
        if kind := kinds().get(str(name)):
            follows, why_not = kind.parameters, kind.why_not
        else:
            kind = kinds()[USUAL]
            follows = frozenset[str]().union(*(each.parameters for each in kinds().values()))
            why_not = {name: why for name, why in WHY_NOT.items() if name not in follows}
        return Capabilities(parameters=follows, why_not=why_not, seed="exact", images=True, clips=kind.clips)

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
