"""Compare, the grid: one prompt and seed over engines, or over any two settings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.errors import InvalidRequest
from shared.image.sweeping import READERS, Axis, Way, axis, sweep
from shared.streaming import CancelToken
from shared.tasks import Task
from shared.ui import engine_choices
from shared.ui.image.grid import Grid
from shared.ui.image.running import read
from shared.ui.running import RunRow, Shown
from shared.ui.sessions import Runs

AXES = [("Nothing", ""), ("Engine", "engine"), *((label, name) for name, (label, _) in READERS.items())]


class GridPanel:
    """The tab's components and events."""

    def __init__(self, engine: Engine, runs: Runs) -> None:
        self._engine, self._runs = engine, runs
        self.prompt = gr.Textbox(label="What to draw", value="a red apple", max_lines=4, elem_id="compare-prompt")
        with gr.Row():
            self.across = gr.Dropdown(AXES, value="num_inference_steps", label="Across", elem_id="across")
            self.across_values = gr.Textbox("4, 10, 20", label="Values across", elem_id="across-values")
            self.down = gr.Dropdown(AXES, value="guidance_scale", label="Down", elem_id="down")
            self.down_values = gr.Textbox("1, 3, 6", label="Values down", elem_id="down-values")
        self.engines = engine_choices.several(
            engine, Task.TEXT_TO_IMAGE, first=2, label="Engines, where they are compared", elem_id="compare-engines"
        )
        self.row = RunRow("Compare", "compare")
        self.grid = gr.HTML("", elem_id="compare-grid")

    def wire(self, picker: list[Any], settings: list[Any], keys: Any) -> None:
        """Connect the events."""
        sides = [self.across, self.across_values, self.down, self.down_values, self.engines]
        self.row.wire(self._runs, self._compare, [self.prompt, *sides, keys, *picker, *settings], [self.grid])

    def _compare(
        self,
        cancel: CancelToken,
        prompt: str,
        across: str,
        across_values: str,
        down: str,
        down_values: str,
        engines: list[str],
        *values: Any,
    ) -> Iterator[Shown]:
        sides = _axis(across, across_values, engines), _axis(down, down_values, engines)
        if across and across == down:
            raise InvalidRequest("Across and down are the same. Choose another for one of them, or nothing.")
        asked = read(self._engine, prompt, values)
        shown = Grid(*sides, asked.settings)
        for grid in sweep(self._engine, asked.request, asked.way, *sides, settings=asked.settings, cancel=cancel):
            yield Shown([shown.html(grid)])


def _axis(name: str, text: str, engines: list[str]) -> Axis:
    if name != "engine":
        return axis(name, text)
    ways = [engine_choices.read(engine) for engine in engines or []]
    if not ways:
        raise InvalidRequest("Choose the engines to compare.")
    labels = tuple(f"{model} · {key.split('|')[0]} {key.split('|')[-1]}" for model, key in ways)
    return Axis("engine", tuple(Way(model, key) for model, key in ways), labels)
