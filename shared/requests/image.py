"""A picture, and how it is to be drawn."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from shared.errors import InvalidRequest
from shared.requests.base import MOST_SEED, ImagePart, Request, within
from shared.tasks import Task

# How a control picture leads: fields of an ImageRequest
LEADING = ("control", "controlnet_conditioning_scale", "control_guidance_start", "control_guidance_end")
MOST_OUTPAINT = 4.0  # times the picture's own side, on each of its sides


@dataclass(frozen=True, kw_only=True)
class ImageRequest(Request):
    """A picture to be drawn from words, or from words and a picture. Names are diffusers'.

    `width` and `height` in pixels. `num_images_per_prompt`: how many, each with a seed of its own, one after the other
    from `seed`. `scheduler`: the name of a diffusers scheduler class. `image` is what to start from, and `strength`
    how far to go from it (0 keeps it, 1 forgets it); `mask_image` is white where it is to be drawn anew.
    `outpaint` draws more around `image`: on the left, top, right and bottom, as shares of its width or height. Without
    a size the picture keeps its own as far as the engine can; with one it is enlarged to that shape and scaled to it.
    `control_image` leads the drawing by its edges, lines or depth, by a ControlNet or T2I-Adapter that the model has:
    the one that `control` names, or its first. `controlnet_conditioning_scale`: how strongly (1: as it was trained),
    from the share of steps `control_guidance_start` to `control_guidance_end`.
    `variation_strength` moves the noise from that of `seed` (0) to that of `variation_seed` (1). Several pictures are
    then variations of one: their seed stays, and the variation seed goes on. A1111 calls these two the subseed's.
    `preview_every_step` asks for a preview after each step, for those who study them; otherwise previews come as
    often as a screen can show them. `blend` mixes in another prompt, `blend_prompt`: 0 leaves it out, 1 reads it alone.
    `keep_attention` asks for the output's `attention`.
    """

    prompt: str
    image: ImagePart | None = None
    mask_image: ImagePart | None = None
    negative_prompt: str | None = None
    width: int | None = None
    height: int | None = None
    num_inference_steps: int | None = None
    guidance_scale: float | None = None
    scheduler: str | None = None
    strength: float | None = None
    outpaint: tuple[float, float, float, float] | None = None
    control_image: ImagePart | None = None
    control: str | None = None
    controlnet_conditioning_scale: float | None = None
    control_guidance_start: float | None = None
    control_guidance_end: float | None = None
    num_images_per_prompt: int | None = None
    variation_seed: int | None = None
    variation_strength: float | None = None
    preview_every_step: bool | None = None
    blend_prompt: str | None = None
    blend: float | None = None
    keep_attention: bool | None = None

    CONTENT: ClassVar[frozenset[str]] = frozenset({"prompt", "blend_prompt", "image", "mask_image", "control_image"})
    WORDS: ClassVar[frozenset[str]] = frozenset({"negative_prompt"})
    TASK: ClassVar[Task] = Task.TEXT_TO_IMAGE
    ESSENTIAL: ClassVar[Mapping[str, str]] = {
        "outpaint": "draw beyond a picture's edges",
        "control_image": "be led by a picture",
    }

    def validate(self) -> None:
        """Raise `InvalidRequest` for an empty prompt or a value out of range."""
        super().validate()
        if not self.prompt.strip():
            raise InvalidRequest("The prompt is empty. Write what the picture should show.")
        if self.mask_image is not None and self.image is None:
            raise InvalidRequest("A mask needs the picture that it lies on. Give that picture too.")
        if self.outpaint is not None and self.image is None:
            raise InvalidRequest("To draw beyond a picture's edges, give that picture too.")
        if self.outpaint is not None and len(self.outpaint) != 4:
            raise InvalidRequest("outpaint has four parts: left, top, right and bottom. Give 0 where nothing is added.")
        for side in self.outpaint or ():
            within("Each part of outpaint", side, 0.0, MOST_OUTPAINT)
        within("width", self.width, 16, 4096)
        within("height", self.height, 16, 4096)
        within("num_inference_steps", self.num_inference_steps, 1, 200)
        within("guidance_scale", self.guidance_scale, 0.0, 50.0)
        within("strength", self.strength, 0.0, 1.0)
        within("num_images_per_prompt", self.num_images_per_prompt, 1, 16)
        within("controlnet_conditioning_scale", self.controlnet_conditioning_scale, 0.0, 2.0)
        start, end = self.control_guidance_start, self.control_guidance_end
        within("control_guidance_start", start, 0.0, 1.0)
        within("control_guidance_end", end, 0.0, 1.0)
        if (start or 0.0) >= (1.0 if end is None else end):
            raise InvalidRequest("control_guidance_start must be below control_guidance_end. Mend one of them.")
        within("variation_seed", self.variation_seed, 0, MOST_SEED - 1)
        within("variation_strength", self.variation_strength, 0.0, 1.0)
        within("blend", self.blend, 0.0, 1.0)

    def implied(self, parameters: Collection[str]) -> dict[str, Any]:
        """A variation seed is drawn, so that the run can be repeated; what lies beyond a picture's edge is all new."""
        found: dict[str, Any] = {}
        if self.variation_strength and self.variation_seed is None and "variation_seed" in parameters:
            found["variation_seed"] = secrets.randbelow(2**31)
        if self.outpaint is not None and self.strength is None and "strength" in parameters:
            found["strength"] = 1.0
        return found

    @property
    def derived(self) -> frozenset[str]:
        """The size of a picture that is drawn beyond its edges."""
        return frozenset() if self.outpaint is None else frozenset({"width", "height"})

    def idle(self) -> dict[str, str]:
        """A variation seed without a strength, and how to be led where there is no picture to lead."""
        found = {}
        if self.variation_seed is not None and self.variation_strength is None:
            found["variation_seed"] = "It counts only with a variation strength."
        if self.control_image is None:
            given = (name for name in LEADING if getattr(self, name) is not None)
            found |= dict.fromkeys(given, "It counts only with a control picture.")
        return found

    def seed_of(self, number: int) -> int | None:
        """The seed of the picture of that number, counted from 0."""
        return self.seed if self.variation_strength else _counted(self.seed, number)

    def variation_seed_of(self, number: int) -> int | None:
        """The variation seed of the picture of that number; None where it counts for nothing."""
        return _counted(self.variation_seed, number) if self.variation_strength else None

    def texts(self) -> tuple[str, ...]:
        """What the picture should show, and what not."""
        return (self.prompt, self.negative_prompt or "", self.blend_prompt or "")


def _counted(seed: int | None, number: int) -> int | None:
    return None if seed is None else (seed + number) % MOST_SEED
