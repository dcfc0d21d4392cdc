"""The lift, ready to run: a picture in, a closed, textured solid out, with a preview of each step."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from shared.backends.base import Capabilities, Outcome
from shared.backends.solid.drawer import Drawer
from shared.events import Preview, Progress
from shared.media.opening import open_picture, to_part
from shared.outputs import SolidOutput
from shared.requests import SolidRequest
from shared.solid.cutout import TOLERANCE, Cutout, cut_out
from shared.solid.lifting import Shape, lift

if TYPE_CHECKING:
    from PIL.Image import Image

    from shared.requests import Request
    from shared.streaming import Emit

_SHAPE = ("resolution", "depth", "parts", "back", "size_mm")
_DRAWING = ("seed", "num_inference_steps", "guidance_scale")
_NAMED = "The words only name it: the picture was lifted as it is."


class LiftModel:
    """One run at a time where an image model draws, since that holds its run's state; any number where none does."""

    def __init__(self, drawer: Drawer, capabilities: Capabilities, facts: Mapping[str, Any]) -> None:
        self._drawer, self.capabilities, self.facts = drawer, capabilities, facts
        self.concurrency = 1 if drawer.draws else 0

    def count_tokens(self, request: Request) -> int | None:
        """Not told."""
        return None

    def close(self) -> None:
        """Free the image model."""
        self._drawer.close()

    def run(self, request: Request, emit: Emit) -> Outcome:
        """Make the solid. Raises `InvalidRequest` for a picture that can't be lifted, `Cancelled`, and what the image
        engine raises."""
        assert isinstance(request, SolidRequest)
        picture, told = self._picture(request, emit)
        times = Times()
        emit(Progress("Cutting out the object"))
        cutout = cut_out(picture, tolerance=request.tolerance or TOLERANCE, see_through=bool(request.see_through))
        emit(Preview(_shown(cutout)))
        times.ended("cutting out")
        given = {name: value for name in _SHAPE if (value := getattr(request, name)) is not None}
        solid, kept = lift(cutout, Shape(**given), lambda words: emit(Progress(words)))
        times.ended("lifting")
        emit.check()
        facts = {
            **told,
            "versions": {**told.get("versions", {}), **self.facts["versions"]},
            "stage_seconds": {**told.get("stage_seconds", {}), **times.seconds},
            "triangles": len(solid.faces),
            "background": cutout.by,
            "colour_parts": kept.count,
        }
        part = request.image or to_part(picture)
        return Outcome(output=SolidOutput(solid=solid, picture=part, lift=kept), facts=facts)

    def _picture(self, request: SolidRequest, emit: Emit) -> tuple[Image, dict[str, Any]]:
        """What is lifted, and what the receipt says of it."""
        if request.image is None:
            part, told = self._drawer.draw(request, emit)
            return open_picture(part.data), told
        emit(Progress("Opening the picture"))
        drawing = [name for name in _DRAWING if getattr(request, name) is not None]
        idle = dict.fromkeys(drawing, "Nothing was drawn: the picture was given.") if self._drawer.draws else {}
        told = {"unhonoured": idle, "notes": (_NAMED,) if request.prompt.strip() else ()}
        return open_picture(request.image.data), told


class Times:
    """How long each stage took, in seconds."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._began = time.monotonic()

    def ended(self, stage: str) -> None:
        """A stage ended, and the next begins."""
        now = time.monotonic()
        self.seconds[stage], self._began = round(now - self._began, 3), now


def _shown(cutout: Cutout) -> Image:
    """The object alone, on a ground that shows what was taken away."""
    import numpy
    from PIL import Image

    ground = numpy.array([214, 226, 224], float)
    cover = numpy.clip(cutout.cover, 0, 1)[:, :, None]
    return Image.fromarray((cutout.pixels * cover + ground * (1 - cover)).astype(numpy.uint8))
