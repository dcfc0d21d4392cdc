"""Clips by a picture engine: a way through what it can draw, frame by frame."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shared.backends.base import Backend, Capabilities, Clips, require

if TYPE_CHECKING:
    from shared.backends.travel.model import TravelModel
    from shared.catalog import Variant
    from shared.settings import Settings
    from shared.streaming import Emit

# What the picture engine has a say in; the rest is this engine's own.
_DRAWN = frozenset({"negative_prompt", "width", "height", "num_inference_steps", "guidance_scale"})
_OWN = frozenset({"seed", "image", "shots", "camera", "duration", "fps", "num_frames", "strength"})
CLIPS = Clips(frames=24, most=480, step=1, fps=8.0)
_WHY_NOT = {
    "preview_every_step": "This engine draws frame after frame; the image Space shows the steps of one.",
    "last_image": "This engine draws on from picture to picture; it can't be told where to arrive.",
}


class TravelVideo:
    """`variant.options`: `drawn_by`, the backend that draws (`diffusers`, `openvino_image`), and that backend's own."""

    def check(self, variant: Variant, settings: Settings) -> None:
        """Raise what the picture engine raises, and `MissingDependency` for PyAV."""
        require("av")
        drawer, drawn = _drawer(variant)
        drawer.check(drawn, settings)

    def capabilities(self, variant: Variant) -> Capabilities:
        """Those of the picture engine that count for a clip, and this engine's own."""
        drawer, drawn = _drawer(variant)
        return clip_capabilities(drawer.capabilities(drawn))

    def load(self, variant: Variant, settings: Settings, emit: Emit) -> TravelModel:
        """As the picture engine loads."""
        from shared.backends.travel.model import TravelModel

        drawer, drawn = _drawer(variant)
        return TravelModel(drawer.load(drawn, settings, emit))


def clip_capabilities(of: Capabilities) -> Capabilities:
    """What a clip can be told where its frames are drawn by an engine that can do this."""
    follows = _OWN | (_DRAWN & of.parameters)
    if "variation_strength" in of.parameters:
        follows |= {"wander"}
    why_not: dict[str, Any] = {**_WHY_NOT, **{n: of.why_not[n] for n in _DRAWN & set(of.why_not)}}
    if "blend" not in of.parameters:
        follows -= {"shots"}
        why_not["shots"] = "This engine can't draw what lies between two prompts."
    if "strength" not in of.parameters:
        follows -= {"strength", "camera", "image"}
        why_not |= dict.fromkeys(("strength", "camera", "image"), "This engine can't go on from a picture.")
    return replace(of, parameters=frozenset(follows), why_not=why_not, controls=(), clips=CLIPS)


def _drawer(variant: Variant) -> tuple[Backend, Variant]:
    """The picture engine, and the variant as it knows it."""
    from shared.backends import get_backend

    options = dict(variant.options)
    name = str(options.pop("drawn_by", "diffusers"))
    return get_backend(name), replace(variant, backend=name, options=options)
