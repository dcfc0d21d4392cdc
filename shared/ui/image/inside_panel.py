"""The Look inside tab: a picture's denoising, step by step, and how much noise each step takes away."""

from __future__ import annotations

import io
from collections.abc import Iterator
from html import escape
from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.errors import InferenceError
from shared.events import Final, Preview, Progress
from shared.requests import ImageRequest
from shared.ui.image.settings_panel import to_request
from shared.ui.sessions import Runs, with_keys

HINT = "Draw once with every step kept, then move the slider: first the large shapes appear, details come last."


class InsidePanel:
    """The tab's components and events."""

    def __init__(self, engine: Engine, runs: Runs) -> None:
        self._engine, self._runs = engine, runs
        self.steps = gr.State([])  # pictures, one a step, the finished one last
        gr.HTML(f'<div class="pg-quiet">{HINT}</div>')
        with gr.Row():
            self.prompt = gr.Textbox(label="What to draw", value="a red apple", elem_id="inside-prompt", scale=4)
            self.run = gr.Button("Draw and keep the steps", variant="primary", elem_id="inside-run", scale=1)
        self.told = gr.HTML("", elem_id="inside-told")
        self.slider = gr.Slider(0, 1, 0, step=1, label="Step", elem_id="inside-step", visible=False)
        self.picture = gr.Image(label="After this step", interactive=False, elem_id="inside-picture", height=420)

    def wire(self, picker: list[Any], settings: list[Any], keys: Any) -> None:
        """Connect the events."""
        options: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        outputs = [self.steps, self.slider, self.picture, self.told]
        inputs = [self.prompt, keys, *picker, *settings]
        self.run.click(self._draw, inputs, outputs, concurrency_limit=None, **options)
        self.slider.input(_at, [self.steps, self.slider], self.picture, queue=False, **options)

    def _draw(
        self,
        request: gr.Request,  # first, since Gradio hands it over by position only
        prompt: str,
        keys: Any,
        model: str,
        mode: str,
        variant: str | None,
        *values: Any,
    ) -> Iterator[list[Any]]:
        try:
            options = {**to_request(values), "preview_every_step": True, "num_images_per_prompt": 1}
            asked = ImageRequest(prompt=prompt or "", **options)
            with self._runs.running(request.session_hash or "local") as (cancel,):
                settings = with_keys(self._engine.settings, keys)
                events = self._engine.generate(model, asked, variant=variant or None, settings=settings, cancel=cancel)
                yield from _followed(events)
        except InferenceError as error:
            told = f'<div class="pg-note pg-error" role="alert">{escape(str(error))}</div>'
            yield [gr.skip(), gr.skip(), gr.skip(), told]


def _followed(events: Iterator[Any]) -> Iterator[list[Any]]:
    from PIL import Image

    steps: list[Any] = []
    for event in events:
        if isinstance(event, Preview):
            steps.append(event.image)
        elif isinstance(event, Progress):
            yield [
                gr.skip(),
                gr.skip(),
                gr.skip(),
                f'<div class="pg-quiet" role="status">{escape(event.message)}</div>',
            ]
        elif isinstance(event, Final):
            finished = [Image.open(io.BytesIO(part.data)) for part in event.output.images[:1]]
            told = "" if steps else "This engine shows no steps, only the picture."
            steps = [*steps, *finished]
            slider = gr.update(maximum=len(steps), minimum=1, value=len(steps), visible=len(steps) > 1)
            yield [steps, slider, steps[-1] if steps else None, f'<div class="pg-quiet">{told}</div>']


def _at(steps: list[Any], number: float) -> Any:
    return steps[min(max(int(number), 1), len(steps)) - 1] if steps else None
