"""diffusers: music and sounds from words by its pipelines that make sound, on CUDA, MPS or the processor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.backends.base import Capabilities, require

if TYPE_CHECKING:
    from shared.backends.diffusion.audio import AudioModel
    from shared.catalog import Variant
    from shared.settings import Settings
    from shared.streaming import Emit

ALWAYS = frozenset({"seed", "duration"})
WHY_NOT = {
    "bars": "This model makes sound, not notes; say how many seconds.",
    "temperature": "This model draws by steps, not by choosing tokens.",
    "top_p": "This model draws by steps, not by choosing tokens.",
    "top_logprobs": "This model writes no notes.",
}


class DiffusersAudio:
    """A Hub id, or a folder in diffusers' format. `variant.options`:

    `pipeline` (the class's name, a row of `diffusion/audio.toml`, so that what it can do is known before it is loaded),
    `files` (patterns).
    """

    def check(self, variant: Variant, settings: Settings) -> None:
        """Raise `MissingDependency`."""
        for module in ("torch", "diffusers", "transformers"):
            require(module)
        if variant.options.get("pipeline") == "AudioLDM2Pipeline":
            require("librosa")  # it ranks what it made by it

    def capabilities(self, variant: Variant) -> Capabilities:
        """What the pipeline takes; of one that isn't known yet, what most take."""
        from shared.backends.diffusion.audio import kinds

        row = kinds().get(str(variant.options.get("pipeline", "StableAudioPipeline")))
        return Capabilities(parameters=ALWAYS | (row.follows if row else frozenset()), why_not=WHY_NOT, seed="exact")

    def load(self, variant: Variant, settings: Settings, emit: Emit) -> AudioModel:
        """Download if need be, check and load. Raises `CorruptWeights`, `OutOfMemory`, `HubUnavailable`."""
        from shared.backends.diffusers_image import facts
        from shared.backends.diffusion.audio import AudioModel, kind_of
        from shared.backends.diffusion.loading import load
        from shared.backends.local import failures
        from shared.backends.local.threads import share_cores

        share_cores()
        with failures.loading(variant):
            loaded = load(variant, settings, emit)
            kind = kind_of(loaded.pipe, loaded.folder.name)
        known = Capabilities(parameters=ALWAYS | kind.follows, why_not=WHY_NOT, seed="exact")
        return AudioModel(loaded.pipe, kind, known, facts(variant, loaded))
