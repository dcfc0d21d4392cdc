"""The Look inside tab: one prompt, and several ways to see how a picture comes about."""

from __future__ import annotations

from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.ui.image.between_panel import BetweenPanel
from shared.ui.image.guidance_panel import GuidancePanel
from shared.ui.image.noise_panel import NoisePanel
from shared.ui.image.steps_panel import StepsPanel
from shared.ui.image.words_panel import WordsPanel
from shared.ui.sessions import Runs


class InsidePanel:
    """The prompt and the tabs below it."""

    def __init__(self, engine: Engine, runs: Runs) -> None:
        self.prompt = gr.Textbox(label="What to draw", value="a red apple", max_lines=4, elem_id="inside-prompt")
        with gr.Tabs():
            with gr.Tab("Steps", id="steps"):
                steps = StepsPanel(engine, runs)
            with gr.Tab("Words", id="words"):
                words = WordsPanel(engine, runs)
            with gr.Tab("Between", id="between"):
                between = BetweenPanel(engine, runs)
            with gr.Tab("Guidance", id="guidance"):
                guidance = GuidancePanel(engine, runs)
            with gr.Tab("Noise", id="noise"):
                noise = NoisePanel(runs)
        self._parts = (steps, words, between, guidance, noise)

    def wire(self, picker: list[Any], settings: list[Any], keys: Any) -> None:
        """Connect the events."""
        for part in self._parts:
            part.wire(self.prompt, picker, settings, keys)
