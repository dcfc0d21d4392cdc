"""Shap-E by diffusers: a field of distances and colours drawn by diffusion, and the surface where the distance is 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.backends.base import Capabilities, require

if TYPE_CHECKING:
    from shared.backends.solid.shap_e import ShapEModel
    from shared.catalog import Variant
    from shared.settings import Settings
    from shared.streaming import Emit

PARAMETERS = frozenset({"seed", "num_inference_steps", "guidance_scale", "size_mm", "resolution"})
_LIFTING = "This model makes a whole shape; it lifts no picture."
_WHY_NOT = dict.fromkeys(("depth", "parts", "back", "see_through"), _LIFTING)
_WORDS = "This model reads words. Its sister reads pictures: Shap-E from a picture."


class ShapESolid:
    """A Hub id, or a folder in diffusers' format, of `ShapEPipeline` or `ShapEImg2ImgPipeline`. `variant.options`:

    `reads`: `words` or `pictures`, what its pipeline starts from; left out, that shows when it is opened.
    """

    def check(self, variant: Variant, settings: Settings) -> None:
        """Raise `MissingDependency`."""
        for module in ("torch", "diffusers", "transformers", "trimesh"):
            require(module)

    def capabilities(self, variant: Variant) -> Capabilities:
        """Of the pipeline that starts from words or from a picture."""
        pictures = variant.options.get("reads") != "words"
        followed = PARAMETERS | ({"image", "tolerance"} if pictures else set())
        refused = _WHY_NOT if pictures else {**_WHY_NOT, "image": _WORDS, "tolerance": _LIFTING}
        return Capabilities(parameters=followed, why_not=refused, seed="exact", images=pictures)

    def load(self, variant: Variant, settings: Settings, emit: Emit) -> ShapEModel:
        """Download if need be, check and load. Raises `CorruptWeights`, `OutOfMemory`, `HubUnavailable`."""
        from shared.backends.diffusers_image import facts
        from shared.backends.diffusion.loading import load
        from shared.backends.local import failures
        from shared.backends.local.threads import share_cores
        from shared.backends.solid.shap_e import ShapEModel, pictures_read

        share_cores()
        with failures.loading(variant):
            loaded = load(variant, settings, emit)
            reads = pictures_read(loaded.pipe, loaded.folder.name)
        known = self.capabilities(variant)
        if reads != known.images:  # a folder that a person named may be of either
            from dataclasses import replace

            known = self.capabilities(replace(variant, options={"reads": "pictures" if reads else "words"}))
        return ShapEModel(loaded.pipe, known, facts(variant, loaded))
