"""Look inside, noise: how much of it each scheduler leaves at each step."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr

from shared.backends.diffusion.schedulers import label, schedulers
from shared.errors import InvalidRequest
from shared.image.noise_curves import Point, curve, schedules
from shared.streaming import CancelToken
from shared.typed_lists import parts
from shared.ui.running import PRIVATE, RunRow, Shown
from shared.ui.sessions import Runs

HINT = (
    "A scheduler chooses at which noise the model is asked. Where the curve is steep, much is decided in one step; "
    "that many methods differ there is why the same steps give another picture. No model is needed for this."
)
# What is plotted: name -> (a point's value, what the axis says)
QUANTITIES: dict[str, tuple[str, str]] = {
    "snr_db": ("Signal to noise (dB)", "dB"),
    "kept": ("Signal kept (alphas_cumprod)", "share of the variance"),
    "sigma": ("Sigma", "noise over signal"),
    "timestep": ("Timestep", "of the training's 1000"),
}
MOST_LINES = 10
FIRST = ["DDIMScheduler", "EulerDiscreteScheduler", "DPMSolverMultistepScheduler"]


class NoisePanel:
    """The tab's components and events."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        first = next(iter(schedules().values()))
        gr.HTML(f'<div class="pg-quiet">{HINT}</div>')
        self.schedule = gr.Dropdown(
            [(row.name, row.id) for row in schedules().values()],
            value=first.id,
            label="How the model was trained",
            elem_id="noise-schedule",
        )
        self.schedulers = gr.Dropdown(
            _choices(first.kind), value=FIRST, multiselect=True, label="Schedulers", elem_id="noise-schedulers"
        )
        with gr.Row():
            self.steps = gr.Textbox("20", label="Steps, with commas between", max_lines=1, elem_id="noise-steps")
            self.quantity = gr.Dropdown(
                [(words, name) for name, (words, _) in QUANTITIES.items()], value="snr_db", label="Show",
                elem_id="noise-quantity",
            )  # fmt: skip
        self.row = RunRow("Plot", "noise")
        self.plot = gr.LinePlot(x="step", y="value", color="scheduler", height=340, visible=False, elem_id="noise-plot")

    def wire(self, prompt: Any, picker: list[Any], settings: list[Any], keys: Any) -> None:
        """Connect the events."""
        inputs = [self.schedule, self.schedulers, self.steps, self.quantity]
        self.row.wire(self._runs, _plot, inputs, [self.plot], no_engine=True)
        self.schedule.input(_fitting, self.schedule, self.schedulers, queue=False, **PRIVATE)


def _choices(kind: str) -> list[tuple[str, str]]:
    return [(words, name) for name, words in schedulers()[kind].items()]


def _fitting(schedule: str) -> Any:
    choices = _choices(schedules()[schedule].kind)
    return gr.update(choices=choices, value=[name for _, name in choices][:3])


def _plot(cancel: CancelToken, schedule: str, names: Sequence[str], steps: str, quantity: str) -> Iterator[Shown]:
    import pandas

    chosen = schedules()[schedule]
    lines = [(name, count) for name in names or [] for count in _counts(steps)]
    if not 0 < len(lines) <= MOST_LINES:
        raise InvalidRequest(f"Choose schedulers and steps for 1 to {MOST_LINES} lines; there are {len(lines)}.")
    yield Shown([gr.skip()], status="Asking diffusers' schedulers")
    rows: list[dict[str, Any]] = []
    for name, count in lines:
        called = label(name) if len(_counts(steps)) == 1 else f"{label(name)}, {count} steps"
        rows += [
            {"step": point.step, "value": value, "scheduler": called}
            for point in curve(name, chosen, count)
            if math.isfinite(value := _value(point, quantity))
        ]
    words, unit = QUANTITIES[quantity]
    frame = pandas.DataFrame(rows)
    plot = gr.LinePlot(
        frame, x="step", y="value", color="scheduler", x_title="step", y_title=unit, title=words, visible=True
    )
    yield Shown([plot])


def _value(point: Point, quantity: str) -> float:
    return float(getattr(point, quantity))


def _counts(text: str) -> list[int]:
    """The numbers of steps. Raises `InvalidRequest`."""
    counts = parts(text)
    if not counts or not all(part.isdecimal() and len(part) < 5 for part in counts):
        raise InvalidRequest("Give numbers of steps, for example 10, 20.")
    return list(dict.fromkeys(map(int, counts)))
