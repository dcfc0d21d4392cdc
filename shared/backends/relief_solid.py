"""Relief: how far each point of a picture is, as a depth model of transformers sees it, raised from a flat back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.backends.base import Capabilities, require

if TYPE_CHECKING:
    from shared.backends.solid.relief import ReliefModel
    from shared.catalog import Variant
    from shared.settings import Settings
    from shared.streaming import Emit

PARAMETERS = frozenset({"size_mm", "resolution", "depth", "tolerance", "see_through", "image"})
_NOT = {
    "parts": "The model itself sees what is nearer.",
    "back": "A relief's back is flat.",
    "seed": "Nothing is drawn by chance.",
    "num_inference_steps": "This model looks once.",
    "guidance_scale": "This model reads no words.",
}
FILES = ("*.json", "*.safetensors")


class ReliefSolid:
    """A Hub id, or a folder in transformers' format, of a model for depth estimation. `variant.options`:

    `far`: true where larger numbers are farther away, as those of models that tell metres.
    """

    def check(self, variant: Variant, settings: Settings) -> None:
        """Raise `MissingDependency`."""
        for module in ("torch", "transformers", "scipy", "trimesh"):
            require(module)

    def capabilities(self, variant: Variant) -> Capabilities:
        """The same for every depth model."""
        return Capabilities(parameters=PARAMETERS, why_not=_NOT, images=True)

    def load(self, variant: Variant, settings: Settings, emit: Emit) -> ReliefModel:
        """Download if need be, check and load. Raises `CorruptWeights`, `UnknownModel`, `HubUnavailable`."""
        from shared.backends.local import failures
        from shared.backends.local.threads import share_cores
        from shared.backends.solid.relief import read
        from shared.backends.transformers_text import quiet
        from shared.image.measuring.sources import find

        share_cores()
        quiet(settings)
        folder = find(variant.repo_id, FILES, settings, emit)
        with failures.loading(variant):
            return read(folder, variant, self.capabilities(variant), emit)
