"""The Compare tab: grids over engines and settings, over stated attributes, and figures for sets of pictures."""

from __future__ import annotations

from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.ui.image.attributes_panel import AttributesPanel
from shared.ui.image.grid_panel import GridPanel
from shared.ui.image.measure_panel import MeasurePanel
from shared.ui.sessions import Runs


class ComparePanel:
    """The tabs within the tab."""

    def __init__(self, engine: Engine, runs: Runs) -> None:
        with gr.Tabs():
            with gr.Tab("Grid", id="grid"):
                grid = GridPanel(engine, runs)
            with gr.Tab("Attributes", id="attributes"):
                attributes = AttributesPanel(engine, runs)
            with gr.Tab("Measure", id="measure"):
                measure = MeasurePanel(engine, runs)
        self._parts = (grid, attributes, measure)

    def wire(self, picker: list[Any], settings: list[Any], keys: Any) -> None:
        """Connect the events."""
        for part in self._parts:
            part.wire(picker, settings, keys)
