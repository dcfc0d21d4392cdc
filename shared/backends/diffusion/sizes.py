"""The sizes of pictures that a pipeline can draw."""

from __future__ import annotations

import math
from typing import Any

from shared.backends.diffusion.arguments import transformer
from shared.errors import InvalidRequest
from shared.requests import ImageRequest

LARGEST_SIDE = 2048  # pixels, where the model's row says nothing
MOST_AREAS = 2.0  # times the area that a model draws best: far above it, things are drawn twice


class Sizes:
    """In pixels. `own`: the side that the model draws by itself; `step`: what its sides are multiples of."""

    def __init__(self, pipe: Any, largest: int | None = None) -> None:
        block = int(getattr(pipe, "vae_scale_factor", 8))
        config = transformer(pipe).config
        side = int(getattr(pipe, "default_sample_size", 0) or config.get("sample_size") or 128)
        self.own, self.step, self.limit = side * block, 2 * block, largest or LARGEST_SIDE

    def room(self, width: int, height: int, chosen: bool) -> tuple[int, int]:
        """The size to draw a larger picture at: its own, up to some times the area that the model draws best.

        A size that was `chosen` stays.
        """
        if chosen:
            return width, height
        scale = min(1.0, (MOST_AREAS * self.own**2 / (width * height)) ** 0.5, self.limit / max(width, height))
        turn = math.ceil if scale == 1 else math.floor
        steps = (max(1, turn(round(side * scale / self.step, 6))) for side in (width, height))
        wide, tall = (min(count, self.limit // self.step) * self.step for count in steps)
        return wide, tall

    def of(self, request: ImageRequest) -> tuple[int, int]:
        """Width and height for a request. Raises `InvalidRequest` unless the model's blocks fit."""
        sides = request.width or self.own, request.height or self.own
        for name, value in zip(("width", "height"), sides, strict=True):
            if value % self.step:
                near = max(self.step, value // self.step * self.step)
                raise InvalidRequest(
                    f"The {name} must be a multiple of {self.step}, such as {near} or {near + self.step}."
                )
            if value > self.limit:
                raise InvalidRequest(f"This model draws up to {self.limit} pixels a side; the {name} asked is {value}.")
        return sides
