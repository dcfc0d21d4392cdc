"""The settings of music: each honest about whether the chosen engine can follow it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.tasks import Task
from shared.ui.audio.sound_settings import ROWS, read_row
from shared.ui.following import Fitted, Following
from shared.ui.lessons_panel import filled
from shared.ui.model_picker import Picked
from shared.ui.reading import read_number, read_seed

# name -> (label, lowest, highest, step, value where the model has none of its own, what it does)
SLIDERS: dict[str, tuple[str, float, float, float, float, str]] = {
    "temperature": ("Temperature", 0.0, 2.0, 0.05, 1.0, "0 always takes the likeliest note; higher is more daring."),
    "top_p": ("Top p", 0.0, 1.0, 0.01, 1.0, "Choose among the likeliest that make up this share. 1 is off."),
}
LENGTHS = {
    "bars": ("Bars", "Blank: as the prompt says."),
    "duration": ("Seconds", "Where no bars are set."),
}
SEED = "Blank draws a new one each time; the receipt names it."
# Of engines that make sound by steps, as in the Sounds tab.
BY_STEPS = ("guidance_scale", "num_inference_steps", "negative_prompt")
INFOS = {
    "seed": SEED,
    **{name: row[1] for name, row in LENGTHS.items()},
    **{name: row[5] for name, row in SLIDERS.items()},
    **{name: ROWS[name][1] for name in BY_STEPS},
}
NAMES = ("bars", "duration", *SLIDERS, "seed", *BY_STEPS)


class ComposeSettings(Fitted):
    """The controls by name, in the order of `NAMES`, fitted to the model that is picked first."""

    def __init__(self, engine: Engine, picked: Picked) -> None:
        super().__init__(engine, Task.TEXT_TO_AUDIO, NAMES, _fit)
        fitted = self.fitted(picked, engine.settings)
        with gr.Row():
            for name, (label, _) in LENGTHS.items():
                self._box(name, label, fitted, max_length=6, min_width=90)
        for name, (label, low, high, step, value, _) in SLIDERS.items():
            shown = {"value": value, **fitted[name]}
            self.controls[name] = gr.Slider(low, high, step=step, label=label, elem_id=f"compose-{name}", **shown)
        self._box("seed", "Seed", fitted, max_length=10)
        with gr.Accordion("For engines that make sound by steps", open=False):
            for name in BY_STEPS:
                self._box(name, ROWS[name][0], fitted, max_length=ROWS[name][2])

    def _box(self, name: str, label: str, fitted: dict[str, Any], **options: Any) -> None:
        # Text boxes, since Gradio's number box shows a blank as 0, and 0 is a seed.
        self.controls[name] = gr.Textbox(label=label, max_lines=1, elem_id=f"compose-{name}", **options, **fitted[name])


def _fit(name: str, found: Following | None) -> dict[str, Any]:
    reason = found.reason(name) if found else None
    changes: dict[str, Any] = {
        "interactive": reason is None,
        "info": f"Not for this engine: {reason}" if reason else INFOS[name],
    }
    if found and name in SLIDERS:
        changes["value"] = found.defaults.get(name, SLIDERS[name][4])
    return changes


def controls(asked: Mapping[str, Any], own: Mapping[str, Any]) -> list[Any]:
    """What each control gets, in the order of `NAMES`, for settings by a request's names. `own`: the model's values."""
    values = filled(NAMES, SLIDERS, asked, own)
    return [values[name] for name in NAMES]


def to_request(values: Sequence[Any]) -> dict[str, Any]:
    """Keyword arguments for a `MusicRequest` from the controls' values.

    Raises `InvalidRequest` for what can't be read.
    """
    given = dict(zip(NAMES, values, strict=True))
    request = {name: value for name, value in given.items() if value not in (None, "")}
    if "seed" in request:
        request["seed"] = read_seed(str(request["seed"]))
    for name, kind in (("bars", int), ("duration", float)):
        if name in request:
            request[name] = read_number(str(request[name]), LENGTHS[name][0], kind)
    for name in BY_STEPS:
        if name in request:
            request[name] = read_row(name, str(request[name]).strip())
    return request
