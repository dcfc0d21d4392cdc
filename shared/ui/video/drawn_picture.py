"""The first picture of a clip, drawn from the prompt by an engine of the image Space."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.errors import InvalidRequest
from shared.image.drawing import drawings
from shared.image.finishing import finish
from shared.image.gate import gated
from shared.requests import ImageRequest
from shared.streaming import CancelToken
from shared.tasks import Task
from shared.ui import engine_choices
from shared.ui.image.files import write
from shared.ui.reading import read_seed
from shared.ui.running import RunRow, Shown
from shared.ui.sessions import Runs, with_keys


class DrawnPicture:
    """The choice of an engine, and the button. Only engines that charge nothing are offered."""

    def __init__(self, engine: Engine, runs: Runs) -> None:
        self._engine, self._runs = engine, runs
        choices = engine_choices.ready(engine, Task.TEXT_TO_IMAGE, hosted=False)
        self.drawer = gr.Dropdown(
            choices, value=choices[0][1] if choices else None, label="Or have it drawn by", elem_id="picture-drawer"
        )
        self.row = RunRow("Draw the first picture", "picture-draw")

    def wire(self, prompt: Any, seed: Any, keys: Any, picture: Any) -> None:
        """Connect the event: what is drawn is put into `picture`."""
        self.row.wire(self._runs, self._draw, [self.drawer, prompt, seed, keys], [picture])

    def _draw(self, cancel: CancelToken, drawer: str | None, prompt: str, seed: str, keys: Any) -> Iterator[Shown]:
        model, variant = engine_choices.read(drawer or "")
        if not model:
            raise InvalidRequest("No image engine runs here. Put in a picture of your own.")
        request = ImageRequest(prompt=prompt or "", seed=read_seed(seed) if seed and seed.strip() else None)
        settings = with_keys(self._engine.settings, keys)
        events = self._engine.generate(model, request, variant=variant, settings=settings, cancel=cancel)
        for drawing in drawings(gated(events, request, settings, cancel)):
            if drawing.error:
                raise drawing.error
            yield Shown([gr.skip()], status=drawing.status or "Drawing")
            if drawing.receipt and drawing.images and drawing.finish_reason == "stop":
                finished = finish(drawing, request, settings)[0]
                path = write(request.prompt[:40], finished.image, finished.sidecar)[0]
                yield Shown([path], note=finished.words)
