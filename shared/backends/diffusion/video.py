"""A diffusers pipeline ready to make clips: one request in, frames out, rough frames on the way."""

from __future__ import annotations

import inspect
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.backends.base import Outcome
from shared.backends.diffusion import finite
from shared.backends.diffusion.leading import told_of_steps
from shared.backends.diffusion.rough import Rough
from shared.backends.diffusion.step_cache import step_cached
from shared.backends.diffusion.tiles import tiled_if_short
from shared.backends.diffusion.video_kinds import Kind
from shared.backends.local.failures import within_memory
from shared.backends.local.parts import OfParts
from shared.errors import InvalidRequest
from shared.events import Frame, Progress
from shared.media.masks import fit
from shared.media.opening import open_picture
from shared.outputs import VideoOutput
from shared.requests import ImagePart, VideoRequest
from shared.video.camera import told
from shared.video.encoding import Encoder

if TYPE_CHECKING:
    from shared.requests import Request
    from shared.streaming import Emit

LESS = "Ask for fewer frames or a smaller size, unload other models, or choose a smaller model."
_NONE: Mapping[str, str] = {}
_UNMOVED = "No motion that this model knows was said, so the clip may hardly move. It knows: {}."
_SILENT = "This pipeline doesn't tell of its steps."


class VideoModel(OfParts):
    """`folder`: where the pipeline, which is its parts, was read from."""

    def __init__(
        self, pipe: Any, kind: Kind, folder: Path | None, facts: Mapping[str, Any], refused: Mapping[str, str] = _NONE
    ) -> None:
        super().__init__(pipe, kind.capabilities(refused), facts)
        self._kind = kind
        self._rough: Any = Rough(pipe, kind, folder)

    def run(self, request: Request, emit: Emit) -> Outcome:
        """Make the clip. Raises `InvalidRequest` for sizes and lengths that the model can't make, `OutOfMemory` with
        what to lower, `CorruptWeights` for numbers that make no picture, `Cancelled`."""
        assert isinstance(request, VideoRequest)
        count = self._kind.count(request)
        self._kind.check_size(request)
        for name, deed in request.ESSENTIAL.items():  # of a pipeline that wasn't known before
            if getattr(request, name) not in (None, ()) and name in self._kind.why_not:
                raise InvalidRequest(f"This model can't {deed}: {self._kind.why_not[name]}")
        if self._kind.image == "needs" and request.image is None:
            raise InvalidRequest("This model begins with a picture. Put one in, or choose a model that needs none.")
        if request.last_image is not None and request.image is None and not self._kind.conditions:
            raise InvalidRequest("To end with a picture, this model needs one to begin with too.")
        return within_memory(lambda: self._made(request, count, emit), LESS)

    def _made(self, request: VideoRequest, count: int, emit: Emit) -> Outcome:
        pipe = self._fitting(request)
        given, left = self._arguments(pipe, request, count)
        pace = self._rough.start(every_step=bool(request.preview_every_step))
        fps = request.fps or self._kind.fps

        def step_ended(pipe: Any, step: int, when: Any, values: dict[str, Any]) -> dict[str, Any]:
            latents = values.get("latents")
            if step == 0:  # not at each: a GPU would have to be waited for
                finite.check(latents, self.facts["dtype"])
            total = int(getattr(pipe, "num_timesteps", 0) or given.get("num_inference_steps") or step + 1)
            emit(Progress(f"Step {step + 1} of {total}", step + 1, total))
            self._rough.show(latents, (step + 1, total), fps, pace, emit)
            return values

        emit(Progress("Making the clip"))
        began = time.monotonic()
        follow = {} if self._kind.silent else told_of_steps(pipe, step_ended)
        with tiled_if_short(pipe, emit) as notes, step_cached(pipe, request.step_cache if self._kind.cached else None):
            frames = pipe(**given, output_type="np", **follow).frames
            made = frames if self._kind.alone else frames[0]
        rate = round(len(made) / (time.monotonic() - began), 3)
        emit(Progress("Writing the clip"))
        notes += _unmoved(pipe, request.prompt)
        facts: dict[str, Any] = {"unhonoured": left, "notes": tuple(notes), "frames_per_second": rate}
        return Outcome(output=self._written(made, fps, emit), facts=facts)

    def _written(self, made: Any, fps: float, emit: Emit) -> VideoOutput:
        """The frames (n, height, width, 3) of 0 to 1, emitted and encoded."""
        encoder = Encoder(fps)
        try:
            for number, pixels in enumerate(made):
                frame = finite.picture(pixels, self.facts["dtype"])
                encoder.add(frame)
                emit(Frame(frame, number, len(made), fps))
            video = encoder.finish()
        finally:
            encoder.close()
        width, height = frame.size
        return VideoOutput(
            video=video, width=width, height=height, num_frames=len(made), fps=fps, steps=self._rough.kept()
        )

    def _fitting(self, request: VideoRequest) -> Any:
        """The pipeline itself, or that of the same weights which begins with a picture."""
        if not self._kind.with_image or (request.image is None and request.last_image is None):
            return self._parts
        if type(self._parts).__name__ == self._kind.with_image:
            return self._parts
        import diffusers

        made: Any = getattr(diffusers, self._kind.with_image)(**self._parts.components)
        made.set_progress_bar_config(disable=True)
        return made

    def _arguments(self, pipe: Any, request: VideoRequest, count: int) -> tuple[dict[str, Any], dict[str, str]]:
        """What to call the pipeline with, and why a setting is not followed."""
        import torch

        taken = inspect.signature(pipe.__call__).parameters
        names = (*self._kind.follows, "width", "height")
        given = {name: value for name in names if (value := getattr(request, name)) is not None and name in taken}
        if "prompt" in taken:
            given["prompt"] = told(request.prompt, request.camera)
        given[self._kind.frames] = count
        if self._kind.rate and request.fps is not None:
            given[self._kind.rate] = int(request.fps)
        given["generator"] = torch.Generator("cpu").manual_seed((request.seed or 0) % 2**63)
        given |= self._pictures(request, taken, count)
        if self._kind.walked:
            given |= walk(request.action, count, (given["width"], given["height"]))
        own = self._kind.why_not  # what only the loaded pipeline could tell
        left = {name: own[name] for name in request.settings() if name in own}
        if self._kind.silent and request.preview_every_step:
            left["preview_every_step"] = _SILENT
        return given, left

    def _pictures(self, request: VideoRequest, taken: Mapping[str, Any], count: int) -> dict[str, Any]:
        """The first and the last picture as the pipeline takes them, in the clip's size."""
        if request.image is None and request.last_image is None:
            return {}
        size = self._size(request, taken)
        first, last = (_picture(part, size) for part in (request.image, request.last_image))
        if self._kind.conditions:
            from diffusers.pipelines.ltx.pipeline_ltx_condition import LTXVideoCondition

            placed = ((first, 0), (last, count - 1))
            conditions = [LTXVideoCondition(image=image, frame_index=at) for image, at in placed if image is not None]
            return {"conditions": conditions, "width": size[0], "height": size[1]}
        return {
            "image": first,
            **({} if last is None else {"last_image": last}),
            "width": size[0],
            "height": size[1],
        }

    def _size(self, request: VideoRequest, taken: Mapping[str, Any]) -> tuple[int, int]:
        """Width and height: those asked for, or the pipeline's own area in the first picture's shape."""
        part = request.image or request.last_image
        assert part is not None
        if request.width and request.height:
            return request.width, request.height
        own = [taken[name].default for name in ("width", "height") if name in taken]
        if self._kind.walked:  # made for one size
            return request.width or own[0], request.height or own[1]
        area = own[0] * own[1] if len(own) == 2 and all(isinstance(side, int) for side in own) else 480 * 720
        picture = open_picture(part.data)
        scale = (area / (picture.width * picture.height)) ** 0.5
        step = self._kind.multiple
        wide, tall = (max(step, round(side * scale / step) * step) for side in picture.size)
        return request.width or wide, request.height or tall


def _unmoved(pipe: Any, prompt: str) -> tuple[str, ...]:
    """What to say of a prompt without a motion, to a model that was taught motions by name."""
    motions = getattr(pipe, "motions", None)
    if motions is None or motions.split(prompt)[1]:
        return ()
    return (_UNMOVED.format(", ".join(phrases[0] for phrases in motions.phrases.values())),)


def walk(action: str | None, count: int, size: tuple[int, int]) -> dict[str, Any]:
    """The action, which stands still at its end until there are `count` frames, and how the picture was taken.

    That is not known of a picture: it is taken for one of 60 degrees across, with its middle in the middle. The four
    numbers are the focal lengths and the middle, in pixels of `size`.
    """
    asked = action or f"w-{count - 1}"
    held = sum(int(part.rpartition("-")[2]) for part in asked.split(","))
    focal = size[0] / 2 / math.tan(math.radians(30))
    return {
        "action": asked if held >= count - 1 else f"{asked},none-{count - 1 - held}",
        "intrinsics": [focal, focal, size[0] / 2, size[1] / 2],
    }


def _picture(part: ImagePart | None, size: tuple[int, int]) -> Any:
    return None if part is None else fit(open_picture(part.data).convert("RGB"), size)
