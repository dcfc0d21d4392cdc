"""Compare, attributes: one prompt over stated attributes with the same seeds, and how to read what comes."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from html import escape
from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.image.attributes import HOW_TO_READ, MOST_SEEDS, NO_SEEDS, SLOT, columns, rows
from shared.image.sweeping import sweep
from shared.streaming import CancelToken
from shared.ui.image.grid import Grid
from shared.ui.image.running import read, why_not
from shared.ui.running import RunRow, Shown
from shared.ui.sessions import Runs

HINT = "What does a model take for granted? The same picture is asked for with one attribute after the other."


class AttributesPanel:
    """The tab's components and events."""

    def __init__(self, engine: Engine, runs: Runs) -> None:
        self._engine, self._runs = engine, runs
        gr.HTML(f'<div class="pg-quiet">{HINT}</div>')
        self.prompt = gr.Textbox(
            f"a photo of a {SLOT} doctor", label=f"Prompt, with {SLOT} in it", max_lines=4, elem_id="attributes-prompt"
        )
        with gr.Row():
            self.attributes = gr.Textbox(
                "young, old", label="Attributes, with commas between", elem_id="attributes-values", scale=3
            )
            self.seeds = gr.Slider(1, MOST_SEEDS, 3, step=1, label="Seeds", elem_id="attributes-seeds", scale=2)
        self.row = RunRow("Draw each", "attributes")
        self.grid = gr.HTML("", elem_id="attributes-grid")
        with gr.Accordion("How to read it", open=True):
            gr.HTML(f'<div class="pg-quiet">{escape(HOW_TO_READ)}</div>')

    def wire(self, picker: list[Any], settings: list[Any], keys: Any) -> None:
        """Connect the events."""
        inputs = [self.prompt, self.attributes, self.seeds, keys, *picker, *settings]
        self.row.wire(self._runs, self._draw, inputs, [self.grid])

    def _draw(self, cancel: CancelToken, prompt: str, attributes: str, seeds: int, *values: Any) -> Iterator[Shown]:
        down = rows(prompt, attributes)
        asked = read(self._engine, prompt, values, num_images_per_prompt=None)
        reason = why_not(self._engine, asked, "seed")
        first = secrets.randbelow(2**31) if asked.request.seed is None else asked.request.seed
        sides = columns(int(seeds), None if reason else first), down
        shown = Grid(*sides, asked.settings, side=170, figures=False)
        for grid in sweep(self._engine, asked.request, asked.way, *sides, settings=asked.settings, cancel=cancel):
            yield Shown([shown.html(grid)], note=NO_SEEDS.format(reason=reason) if reason else "")
