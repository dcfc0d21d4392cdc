"""Lift: a picture, drawn by an image model or given, is cut out and inflated into a closed, textured solid."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shared.backends.base import Capabilities, require
from shared.backends.local.facts import versions as versions_of

if TYPE_CHECKING:
    from shared.backends.solid.lifted import LiftModel
    from shared.catalog import Variant
    from shared.settings import Settings
    from shared.streaming import Emit

SHAPE = frozenset({"size_mm", "resolution", "depth", "parts", "back", "tolerance", "see_through", "image"})
DRAWING = frozenset({"seed", "num_inference_steps", "guidance_scale"})
_NO_DRAWING = "This engine draws nothing: it lifts the picture that you add."
_PACKAGES = ("numpy", "scipy", "trimesh")


class LiftSolid:
    """The geometry is the same for every picture. `variant.options`:

    `draws`: the name of the image backend that draws words first; its own options stand in the same table, and
    `repo_id` is its model. Without it only pictures are lifted, and no model is loaded. `wording`: what is put around
    the words, with `{prompt}` for them, so that such a model draws one thing before a plain background.
    """

    def check(self, variant: Variant, settings: Settings) -> None:
        """Raise `MissingDependency`, and what the image backend raises."""
        for module in ("scipy", "trimesh"):
            require(module)
        if drawer := drawing(variant):
            from shared.backends import get_backend

            get_backend(drawer.backend).check(drawer, settings)

    def capabilities(self, variant: Variant) -> Capabilities:
        """What shapes the solid and, where a model draws first, how it draws."""
        draws = drawing(variant) is not None
        refused = {} if draws else dict.fromkeys(DRAWING, _NO_DRAWING)
        return Capabilities(
            parameters=SHAPE | DRAWING if draws else SHAPE,
            why_not={**refused, **variant.options.get("not", {})},
            seed="exact" if draws else "none",
            images=True,
        )

    def load(self, variant: Variant, settings: Settings, emit: Emit) -> LiftModel:
        """Nothing is read yet: the image model is, when words are to be drawn for the first time."""
        from shared.backends.solid.drawer import Drawer
        from shared.backends.solid.lifted import LiftModel

        told: dict[str, Any] = {"versions": versions_of(*_PACKAGES)}
        drawer = Drawer(drawing(variant), variant.options.get("wording", "{prompt}"), settings)
        return LiftModel(drawer, self.capabilities(variant), {"device": "cpu", **told})


def drawing(variant: Variant) -> Variant | None:
    """The image engine that draws words for this variant; None where it lifts pictures only."""
    options = dict(variant.options)
    name = options.pop("draws", None)
    options.pop("wording", None)
    return replace(variant, backend=name, options=options) if name else None
