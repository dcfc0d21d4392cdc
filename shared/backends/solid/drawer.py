"""Draws the picture that is to be lifted, by any engine for pictures, loaded when words come for the first time."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from shared.errors import CorruptWeights, InvalidRequest
from shared.requests import ImagePart, ImageRequest, SolidRequest

if TYPE_CHECKING:
    from shared.backends.base import LoadedModel
    from shared.catalog import Variant
    from shared.settings import Settings
    from shared.streaming import Emit


class Drawer:
    """`variant`: of an image engine; None where there is none. `wording` holds `{prompt}`."""

    def __init__(self, variant: Variant | None, wording: str, settings: Settings) -> None:
        self._variant, self._wording, self._settings = variant, wording, settings
        self._lock = threading.Lock()
        self._model: LoadedModel | None = None

    @property
    def draws(self) -> bool:
        """Whether words can be drawn."""
        return self._variant is not None

    def draw(self, request: SolidRequest, emit: Emit) -> tuple[ImagePart, dict[str, Any]]:
        """The picture, and what the receipt says of it. Raises `InvalidRequest`, and what the image engine raises."""
        if self._variant is None:
            raise InvalidRequest("This engine lifts pictures. Add one, or choose an engine that draws from words.")
        began = time.monotonic()
        with self._lock:
            model = self._loaded(emit)
        loading = time.monotonic() - began
        asked = ImageRequest(
            prompt=self._wording.format(prompt=request.prompt.strip()),
            seed=request.seed,
            num_inference_steps=request.num_inference_steps,
            guidance_scale=request.guidance_scale,
        )
        outcome = model.run(asked, emit)
        if not outcome.output.images:
            raise CorruptWeights("The image model gave no picture. Choose another engine.")
        stages = {"loading": round(loading, 3), "drawing": round(time.monotonic() - began - loading, 3)}
        told = {**model.facts, "stage_seconds": stages}
        if rate := outcome.facts.get("steps_per_second"):
            told["steps_per_second"] = rate
        return outcome.output.images[0], told

    def _loaded(self, emit: Emit) -> LoadedModel:
        from shared.backends import get_backend

        assert self._variant is not None
        if self._model is None:
            self._model = get_backend(self._variant.backend).load(self._variant, self._settings, emit)
        return self._model

    def close(self) -> None:
        """Free the image model."""
        with self._lock:
            model, self._model = self._model, None
        if model is not None:
            model.close()
