"""A picture engine that draws a clip: one request in, frame after frame out, encoded while the next is drawn."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shared.backends.base import LoadedModel, Outcome
from shared.backends.travel_video import CLIPS, clip_capabilities
from shared.events import Event, Frame, Preview, Progress
from shared.media.opening import open_picture, to_part
from shared.outputs import VideoOutput
from shared.requests import VideoRequest
from shared.video.camera import camera, moved
from shared.video.encoding import Encoder
from shared.video.travel import Step, steps

if TYPE_CHECKING:
    from PIL.Image import Image

    from shared.jobs.job import JobTold
    from shared.requests import Request
    from shared.streaming import CancelToken, Emit


class TravelModel:
    """As the picture engine that draws: one run at a time where that takes but one."""

    def __init__(self, drawer: LoadedModel) -> None:
        self._drawer = drawer
        self.capabilities, self.concurrency = clip_capabilities(drawer.capabilities), drawer.concurrency
        self.facts: Mapping[str, Any] = drawer.facts

    def count_tokens(self, request: Request) -> int | None:
        """Not told, as of pictures."""
        return None

    def close(self) -> None:
        """Free the picture engine."""
        self._drawer.close()

    def run(self, request: Request, emit: Emit) -> Outcome:
        """Draw the clip. Raises what the picture engine raises; frames that are whole were emitted by then."""
        assert isinstance(request, VideoRequest)
        fps = request.fps or CLIPS.fps
        count = request.frames(CLIPS.frames, fps)
        facts: dict[str, Any] = {}
        encoder, previous = Encoder(fps), _start(request)
        began = time.monotonic()
        try:
            for step in steps(request, count, fps):
                emit.check()
                outcome = self._drawer.run(_drawn_from(step, previous, request, fps), _Quiet(emit, step.number, count))
                previous = open_picture(outcome.output.images[0].data).convert("RGB")
                encoder.add(previous)
                facts = facts or {n: v for n, v in outcome.facts.items() if n in ("width", "height", "unread_words")}
                emit(Frame(previous, step.number, count, fps))
                emit(Progress(f"Frame {step.number + 1} of {count}", step.number + 1, count))
            video = encoder.finish()
        finally:
            encoder.close()
        facts["frames_per_second"] = round(count / (time.monotonic() - began), 3)
        assert previous is not None
        output = VideoOutput(video=video, width=previous.width, height=previous.height, num_frames=count, fps=fps)
        return Outcome(output=output, facts=facts)


class _Quiet:
    """Passes on how far a frame is, as a part of the whole clip; its own previews and words would only flicker."""

    def __init__(self, emit: Emit, number: int, count: int) -> None:
        self._emit, self._number, self._count = emit, number, count
        self.cancel: CancelToken = emit.cancel

    def __call__(self, event: Event) -> None:
        self.check()
        if isinstance(event, Preview) and self._number == 0:
            self._emit(event)  # until there is a frame
        if isinstance(event, Progress) and event.total and event.step is not None:
            done = self._number + event.step / event.total
            self._emit(Progress(f"Frame {self._number + 1} of {self._count}", round(done, 3), self._count))

    def check(self) -> None:
        """Raise `Cancelled` if the run was stopped."""
        self._emit.check()

    def restart(self) -> None:
        """Nothing: a frame is a part of a run."""

    def job(self, told: JobTold) -> None:
        """Pass it on."""
        self._emit.job(told)


def _start(request: VideoRequest) -> Image | None:
    return None if request.image is None else open_picture(request.image.data).convert("RGB")


def _drawn_from(step: Step, previous: Image | None, request: VideoRequest, fps: float) -> Any:
    """The picture request, with the frame before it where it is drawn from that."""
    if previous is None or (step.number > 0 and not step.fed):
        return step.request
    if step.number > 0:
        previous = moved(previous, camera(request.camera), 1 / fps)
    return replace(step.request, image=to_part(previous))
