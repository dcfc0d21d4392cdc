"""A thing in three dimensions, and how it is to be made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from shared.errors import InvalidRequest
from shared.requests.base import ImagePart, Request, within
from shared.tasks import Task

BACKS = ("round", "flat")
VIEWS: Mapping[str, str] = {"left_image": "left", "back_image": "back", "right_image": "right"}
MOST_RESOLUTION = 256


@dataclass(frozen=True, kw_only=True)
class SolidRequest(Request):
    """A solid to be made from words, from a picture (`image`), or from both where the engine takes both.

    `left_image`, `back_image`, `right_image`: pictures from its other sides, for engines that look at several;
    `image` is then the front. `size_mm`: of its longest side. `num_inference_steps` and `guidance_scale` are
    diffusers'.

    For engines that lift a picture: `resolution`, cells along the object's longer side; `depth`, how far it rises (1
    makes a ball of a disc); `parts`, how much each part of another colour rises by itself, 0 to 1; `back`, one of
    `BACKS`: as round as the front, or flat; `tolerance`, how far from the background's colour its own may be, in
    L*a*b*; `see_through`, whether background that the object encloses is a hole.
    """

    prompt: str = ""
    image: ImagePart | None = None
    left_image: ImagePart | None = None
    back_image: ImagePart | None = None
    right_image: ImagePart | None = None
    num_inference_steps: int | None = None
    guidance_scale: float | None = None
    size_mm: float | None = None
    resolution: int | None = None
    depth: float | None = None
    parts: float | None = None
    back: str | None = None
    tolerance: float | None = None
    see_through: bool | None = None

    CONTENT: ClassVar[frozenset[str]] = frozenset({"prompt", "image", *VIEWS})
    TASK: ClassVar[Task] = Task.TEXT_TO_3D
    ESSENTIAL: ClassVar[Mapping[str, str]] = {
        "image": "start from a picture",
        **{name: f"look at a picture of the {side}" for name, side in VIEWS.items()},
    }

    def validate(self) -> None:
        """Raise `InvalidRequest` where there is neither words nor a picture, or for a value out of range."""
        super().validate()
        if not self.prompt.strip() and self.image is None:
            raise InvalidRequest("There is nothing to make. Write what it should be, or add a picture of it.")
        if self.back is not None and self.back not in BACKS:
            raise InvalidRequest(f"back must be one of {', '.join(BACKS)}; it is {self.back[:20]!r}.")
        within("num_inference_steps", self.num_inference_steps, 1, 200)
        within("guidance_scale", self.guidance_scale, 0.0, 50.0)
        within("size_mm", self.size_mm, 1, 1000)
        within("resolution", self.resolution, 16, MOST_RESOLUTION)
        within("depth", self.depth, 0.05, 3.0)
        within("parts", self.parts, 0.0, 1.0)
        within("tolerance", self.tolerance, 1.0, 60.0)

    def texts(self) -> tuple[str, ...]:
        """What it should be."""
        return (self.prompt,)
