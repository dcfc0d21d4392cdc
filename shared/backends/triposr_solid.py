"""TripoSR: one picture becomes three planes of features, these a field of densities, and its surface a solid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.backends.base import Capabilities, require

if TYPE_CHECKING:
    from shared.backends.solid.triposr.model import TripoSRModel
    from shared.catalog import Variant
    from shared.settings import Settings
    from shared.streaming import Emit

PARAMETERS = frozenset({"image", "size_mm", "resolution", "tolerance", "see_through"})
_LIFTING = "This model makes a whole shape; it lifts no picture."
_NOT = {
    "seed": "Nothing is drawn by chance.",
    "num_inference_steps": "This model looks once.",
    "guidance_scale": "This model reads no words.",
    "depth": _LIFTING,
    "parts": _LIFTING,
    "back": _LIFTING,
}


class TripoSRSolid:
    """A Hub id, or a folder, in the format that `shared/backends/solid/triposr/reading.py` describes."""

    def check(self, variant: Variant, settings: Settings) -> None:
        """Raise `MissingDependency`."""
        for module in ("torch", "diffusers", "transformers", "yaml", "scipy", "trimesh"):
            require(module)

    def capabilities(self, variant: Variant) -> Capabilities:
        """The same for every model."""
        return Capabilities(parameters=PARAMETERS, why_not=_NOT, images=True)

    def load(self, variant: Variant, settings: Settings, emit: Emit) -> TripoSRModel:
        """Download if need be, check and load. Raises `CorruptWeights` for a pickle or another format, `UnknownModel`,
        `HubUnavailable`."""
        from shared.backends.local import failures
        from shared.backends.local.threads import share_cores
        from shared.backends.solid.triposr.model import TripoSRModel
        from shared.backends.solid.triposr.reading import find, read
        from shared.backends.transformers_text import quiet

        share_cores()
        quiet(settings)
        folder = find(variant, settings, emit)
        with failures.loading(variant):
            return TripoSRModel(read(folder, variant, emit), self.capabilities(variant))
