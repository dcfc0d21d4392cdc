"""Look inside, steps: a picture's denoising, to be looked through with a slider."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.events import Event, Final, Preview, Progress
from shared.image.finishing import safe
from shared.image.gate import gated
from shared.settings import Settings
from shared.streaming import CancelToken
from shared.ui.image.running import read
from shared.ui.running import PRIVATE, RunRow, Shown
from shared.ui.sessions import Runs

HINT = "Draw once with every step kept, then move the slider: first the large shapes appear, details come last."
NO_STEPS = "This engine shows no steps, only the picture."


class StepsPanel:
    """The tab's components and events."""

    def __init__(self, engine: Engine, runs: Runs) -> None:
        self._engine, self._runs = engine, runs
        self.steps = gr.State([])  # pictures, one a step, the finished one last
        gr.HTML(f'<div class="pg-quiet">{HINT}</div>')
        self.row = RunRow("Draw and keep the steps", "inside")
        self.slider = gr.Slider(0, 1, 0, step=1, label="Step", elem_id="inside-step", visible=False)
        self.picture = gr.Image(
            label="After this step",
            interactive=False,
            elem_id="inside-picture",
            height=420,
            buttons=["download", "fullscreen"],
        )

    def wire(self, prompt: Any, picker: list[Any], settings: list[Any], keys: Any) -> None:
        """Connect the events."""
        inputs = [prompt, keys, *picker, *settings]
        self.row.wire(self._runs, self._draw, inputs, [self.steps, self.slider, self.picture])
        self.slider.input(_at, [self.steps, self.slider], self.picture, queue=False, **PRIVATE)

    def _draw(self, cancel: CancelToken, prompt: str, *values: Any) -> Iterator[Shown]:
        asked = read(self._engine, prompt, values, preview_every_step=True, num_images_per_prompt=1)
        request, way = asked.request, asked.way
        events = self._engine.generate(
            way.model, request, mode=way.mode, variant=way.variant, settings=asked.settings, cancel=cancel
        )
        with closing(gated(events, request, asked.settings, cancel)) as checked:  # type: ignore[type-var]
            yield from _followed(checked, asked.settings)


def _followed(events: Iterator[Event], settings: Settings) -> Iterator[Shown]:
    from PIL import Image

    steps: list[Any] = []
    for event in events:
        if isinstance(event, Preview):
            steps.append(event.image)
        elif isinstance(event, Progress):
            yield Shown([gr.skip()] * 3, status=event.message)
        elif isinstance(event, Final):
            note = "" if steps else NO_STEPS
            for part in event.output.images[:1]:
                finished, words = safe(part, settings, str(event.receipt.extra.get("unchecked", "")))
                # What is covered at its end isn't shown on its way either.
                steps = [*([] if finished is not part else steps), Image.open(io.BytesIO(finished.data))]
                note = words or note
            slider = gr.update(maximum=max(len(steps), 2), minimum=1, value=len(steps), visible=len(steps) > 1)
            yield Shown([steps, slider, steps[-1] if steps else None], note=note)


def _at(steps: list[Any], number: float) -> Any:
    return steps[min(max(int(number), 1), len(steps)) - 1] if steps else None
