"""A diffusers pipeline ready to draw: one request in, pictures out, previews on the way."""

from __future__ import annotations

import io
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.backends.base import Capabilities, Outcome
from shared.backends.diffusion import finite, schedulers
from shared.backends.diffusion.arguments import arguments
from shared.backends.diffusion.attending import UNWATCHED, watching
from shared.backends.diffusion.blending import blended
from shared.backends.diffusion.controls import Controls
from shared.backends.diffusion.leading import told_of_steps
from shared.backends.diffusion.noise import noise_of
from shared.backends.diffusion.pipelines import fitting
from shared.backends.diffusion.previews import Pace, Previews
from shared.backends.diffusion.sizes import Sizes
from shared.backends.diffusion.wording import unread
from shared.backends.local.failures import within_memory
from shared.backends.local.parts import OfParts
from shared.errors import Cancelled
from shared.events import Progress
from shared.image.outpainting import beyond
from shared.media.repainting import lay_over
from shared.outputs import FinishReason, ImageOutput
from shared.requests import ImagePart, ImageRequest

if TYPE_CHECKING:
    from shared.requests import Request
    from shared.streaming import Emit

LESS = "Lower the width, the height or the number of pictures, unload other models, or choose a smaller model."


class DiffusionModel(OfParts):
    """`folder`: where the pipeline, which is its parts, was read from."""

    def __init__(
        self,
        pipe: Any,
        folder: Path | None,
        capabilities: Capabilities,
        facts: Mapping[str, Any],
        controls: Controls | None = None,
    ) -> None:
        super().__init__(pipe, capabilities, facts)
        self._controls = controls
        self._scheduler: Any = pipe.scheduler
        self._previews: Any = Previews(pipe, folder)

    def close(self) -> None:
        """Free the pipeline and what leads it."""
        if self._controls is not None:
            self._controls.close()
        super().close()

    def run(self, request: Request, emit: Emit) -> Outcome:
        """Draw. Raises `InvalidRequest` for sizes the model can't draw, `OutOfMemory` with what to lower, and
        `CorruptWeights` for numbers that make no picture."""
        assert isinstance(request, ImageRequest)
        sizes = Sizes(self._parts, self.facts.get("largest_side"))
        request, notes = beyond(request, sizes.room)
        size = sizes.of(request)
        return within_memory(lambda: self._draw(request, size, notes, emit), LESS)

    def _draw(self, request: ImageRequest, size: tuple[int, int], notes: tuple[str, ...], emit: Emit) -> Outcome:
        control, leading = self._control(request, emit)
        pipe = fitting(self._parts, request, self._scheduler, control)
        schedulers.put(pipe, request.scheduler, self._scheduler, request.num_inference_steps or 0)
        count = request.num_images_per_prompt or 1
        seeds = [request.seed_of(number) or 0 for number in range(count)]
        given, unfollowed = arguments(pipe, request, size)
        if "guidance_scale" in self.capabilities.why_not and request.guidance_scale is None:
            given["guidance_scale"] = 0.0  # a pipeline's own default would guide a model that was made without
        facts: dict[str, Any] = {"unhonoured": unfollowed, "width": size[0], "height": size[1], "notes": notes}
        facts |= leading
        if words := unread(pipe, request.prompt):
            facts["unread_words"] = words
        images: list[ImagePart] = []
        times = StepTimes()
        reason: FinishReason = "stop"
        with watching(pipe, size, wanted=bool(request.keep_attention)) as watch, blended(pipe, request):
            for number in range(count):
                pace = self._previews.start(every_step=bool(request.preview_every_step))
                of = f", picture {number + 1} of {count}" if count > 1 else ""
                try:
                    with noise_of(request, number) as noise:
                        image = self._one(pipe, {**given, "generator": noise}, of, times, pace, emit)
                except Cancelled:
                    if not images:
                        raise
                    reason = "stopped"  # the whole pictures are kept
                    break
                images.append(ImagePart(_png(image), "image/png"))
        if times.rate:
            facts["steps_per_second"] = times.rate
        seen = watch.maps(request.prompt)
        if request.keep_attention and seen is None:
            unfollowed["keep_attention"] = UNWATCHED
        output = ImageOutput(
            images=tuple(images), seeds=tuple(seeds[: len(images)]), finish_reason=reason, attention=seen
        )
        return Outcome(output=output, facts=facts)

    def _control(self, request: ImageRequest, emit: Emit) -> tuple[Any, dict[str, Any]]:
        """What leads the drawing, and what the receipt says of it."""
        if request.control_image is None or self._controls is None:
            return None, {}
        return self._controls.get(request.control, self._parts.dtype, emit)

    def _one(self, pipe: Any, given: dict[str, Any], of: str, times: StepTimes, pace: Pace, emit: Emit) -> Any:
        start, mask = given.get("image"), given.get("mask_image")
        if start is not None and given.get("strength") == 0:
            return start

        def step_ended(pipe: Any, step: int, when: Any, values: dict[str, Any]) -> dict[str, Any]:
            times.step_ended()
            if step == 0:  # not at each: a GPU would have to be waited for
                finite.check(values.get("latents"), self.facts["dtype"])
            total = int(getattr(pipe, "num_timesteps", 0) or given.get("num_inference_steps") or step + 1)
            emit(Progress(f"Step {step + 1} of {total}{of}", step + 1, total))
            self._previews.show(values.get("latents"), step + 1, total, pace, emit)
            return values

        emit(Progress(f"Drawing{of}"))
        times.begin()
        pixels = pipe(**given, output_type="np", **told_of_steps(pipe, step_ended)).images[0]
        drawn = finite.picture(pixels, self.facts["dtype"])
        return drawn if mask is None else lay_over(start, drawn, mask)


class StepTimes:
    """Counts denoising steps and the seconds they took, the first of each picture left out: it begins before."""

    def __init__(self) -> None:
        self._last: float | None = None
        self._steps, self._seconds = 0, 0.0

    def begin(self) -> None:
        """A picture begins."""
        self._last = None

    def step_ended(self) -> None:
        """A step ended."""
        now = time.monotonic()
        if self._last is not None:
            self._steps, self._seconds = self._steps + 1, self._seconds + now - self._last
        self._last = now

    @property
    def rate(self) -> float | None:
        """Steps a second, or None where there were too few."""
        return round(self._steps / self._seconds, 2) if self._seconds else None


def _png(image: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
