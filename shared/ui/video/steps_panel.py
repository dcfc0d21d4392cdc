"""Look inside, steps: some frames of a clip after each denoising step, to be looked through with a slider."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.errors import InvalidRequest
from shared.media.opening import open_picture
from shared.streaming import CancelToken
from shared.ui.model_picker import Picked
from shared.ui.running import PRIVATE, RunRow, Shown
from shared.ui.sessions import Runs, with_keys
from shared.ui.video.make_panel import asked_for
from shared.ui.video.making import Visit, made

HINT = (
    "For models that make all frames at once: the clip of Make's settings, with its frames kept after each step. First "
    "the layout and the motion are settled, then what things look like."
)
NO_STEPS = "This engine shows no steps of the whole clip. For one that draws frame by frame, see the image Space."


class StepsPanel:
    """The tab's components and events."""

    def __init__(self, engine: Engine, runs: Runs) -> None:
        self._engine, self._runs = engine, runs
        self.steps = gr.State([])  # contact sheets, one a step
        gr.HTML(f'<div class="pg-quiet">{HINT}</div>')
        self.row = RunRow("Make and keep the steps", "steps")
        self.slider = gr.Slider(1, 2, 1, step=1, label="Step", elem_id="steps-step", visible=False)
        self.picture = gr.Image(
            label="After this step",
            interactive=False,
            elem_id="steps-picture",
            height=240,
            buttons=["download", "fullscreen"],
        )

    def wire(self, prompt: Any, shots: list[Any], picker: list[Any], settings: list[Any], keys: Any) -> None:
        """Connect the events."""
        inputs = [prompt, keys, *picker, *shots, *settings]
        self.row.wire(self._runs, self._make, inputs, [self.steps, self.slider, self.picture])
        self.slider.input(_at, [self.steps, self.slider], self.picture, queue=False, **PRIVATE)

    def _make(self, cancel: CancelToken, prompt: str, keys: Any, *values: Any) -> Iterator[Shown]:
        picked = Picked(*values[:3])
        asked = replace(asked_for(self._engine, prompt, picked, keys, values[3:]), preview_every_step=True)
        visit = Visit(settings=with_keys(self._engine.settings, keys))
        for kept in made(self._engine, asked, picked, visit, cancel):
            if kept.quoted:
                raise InvalidRequest(f"{kept.quoted} Make it under Make; what providers make has no steps to be seen.")
            if kept.clip.error:
                raise kept.clip.error
            if kept.clip.output is None:
                yield Shown([gr.skip()] * 3, status=kept.clip.status)
                continue
            # What is covered at its end isn't shown on its way either.
            sheets = [] if kept.words else [open_picture(part.data) for part in kept.clip.output.steps]
            slider = gr.update(maximum=max(len(sheets), 2), value=len(sheets) or 1, visible=len(sheets) > 1)
            note = kept.words or ("" if sheets else NO_STEPS)
            yield Shown([sheets, slider, sheets[-1] if sheets else None], note=note)


def _at(steps: list[Any], number: float) -> Any:
    return steps[min(max(int(number), 1), len(steps)) - 1] if steps else None
