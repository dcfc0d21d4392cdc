"""Motion diffusion: a skeleton's motion from words, by a network of the MDM class in plain torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.backends.base import Capabilities, require

if TYPE_CHECKING:
    from shared.backends.motion.model import MotionModel
    from shared.catalog import Variant
    from shared.settings import Settings
    from shared.streaming import Emit

PARAMETERS = frozenset({"seed", "duration", "num_inference_steps", "guidance_scale"})


class MotionDiffusion:
    """A Hub id, or a folder, in the format that `shared/backends/motion/reading.py` describes."""

    def check(self, variant: Variant, settings: Settings) -> None:
        """Raise `MissingDependency`."""
        for module in ("torch", "diffusers", "transformers", "numpy"):
            require(module)

    def capabilities(self, variant: Variant) -> Capabilities:
        """The same for every model."""
        return Capabilities(parameters=PARAMETERS, seed="exact")

    def load(self, variant: Variant, settings: Settings, emit: Emit) -> MotionModel:
        """Download if need be, check and load. Raises `CorruptWeights` for a pickle or another format, `UnknownModel`,
        `HubUnavailable`."""
        from shared.backends.local import failures
        from shared.backends.local.threads import share_cores
        from shared.backends.motion.model import MotionModel
        from shared.backends.motion.reading import find, read
        from shared.backends.transformers_text import quiet

        share_cores()
        quiet(settings)
        folder = find(variant, settings, emit)
        with failures.loading(variant):
            return MotionModel(read(folder, variant, emit), self.capabilities(variant))
