"""Look inside, guidance: one prompt and seed at several strengths of guidance, side by side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.image.sweeping import NOTHING, axis, sweep
from shared.streaming import CancelToken
from shared.ui.image.grid import Grid
from shared.ui.image.running import must_follow, read
from shared.ui.running import RunRow, Shown
from shared.ui.sessions import Runs

HINT = (
    "At each step the model guesses the noise twice: with your words and without. Guidance goes that many times the "
    "way from the second guess to the first (Ho & Salimans 2022). At 1 the words alone count; more follows them "
    "closer, and costs variety; too much burns the colours."
)


class GuidancePanel:
    """The tab's components and events."""

    def __init__(self, engine: Engine, runs: Runs) -> None:
        self._engine, self._runs = engine, runs
        gr.HTML(f'<div class="pg-quiet">{HINT}</div>')
        self.values = gr.Textbox("1, 2, 4, 8, 16", label="Guidance", max_lines=1, elem_id="guidance-values")
        self.row = RunRow("Draw each", "guidance")
        self.grid = gr.HTML("", elem_id="guidance-grid")

    def wire(self, prompt: Any, picker: list[Any], settings: list[Any], keys: Any) -> None:
        """Connect the events."""
        self.row.wire(self._runs, self._draw, [prompt, self.values, keys, *picker, *settings], [self.grid])

    def _draw(self, cancel: CancelToken, prompt: str, values: str, *beside: Any) -> Iterator[Shown]:
        across = axis("guidance_scale", values)
        asked = read(self._engine, prompt, beside, num_images_per_prompt=1)
        must_follow(self._engine, asked, "guidance_scale")
        shown = Grid(across, NOTHING, asked.settings)
        for grid in sweep(
            self._engine, asked.request, asked.way, across, NOTHING, settings=asked.settings, cancel=cancel
        ):
            yield Shown([shown.html(grid)])
