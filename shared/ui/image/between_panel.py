"""Look inside, between: pictures on the way from one prompt or seed to another, as a strip and as a moving picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.image.between import FEWEST, FORMS, MOST, moving, way_to
from shared.image.drawing import Drawing
from shared.image.finishing import safe
from shared.image.sweeping import NOTHING, sweep
from shared.requests import ImageRequest
from shared.settings import Settings
from shared.streaming import CancelToken
from shared.ui.image.files import write
from shared.ui.image.grid import Grid
from shared.ui.image.running import must_follow, read
from shared.ui.reading import read_seed
from shared.ui.running import RunRow, Shown
from shared.ui.sessions import Runs

HINT = (
    "From the prompt above, and the seed of the settings, to another prompt, another seed, or both. Nearby frames are "
    "alike: what a model learned is a space that one can walk through."
)
SIDE = 100  # pixels of a frame in the strip


class BetweenPanel:
    """The tab's components and events."""

    def __init__(self, engine: Engine, runs: Runs) -> None:
        self._engine, self._runs = engine, runs
        gr.HTML(f'<div class="pg-quiet">{HINT}</div>')
        with gr.Row():
            self.prompt = gr.Textbox(
                label="To this prompt", placeholder="the same", max_lines=4, elem_id="between-prompt", scale=3
            )
            self.seed = gr.Textbox(
                label="To this seed", placeholder="the same", max_lines=1, max_length=10, elem_id="between-seed"
            )
            self.count = gr.Slider(FEWEST, MOST, 7, step=1, label="Frames", elem_id="between-count")
        self.row = RunRow("Draw the way", "between")
        self.strip = gr.HTML("", elem_id="between-strip")
        self.picture = gr.Image(
            label="There and back", type="filepath", interactive=False, visible=False, elem_id="between-moving",
            height=320, buttons=["download", "fullscreen"],
        )  # fmt: skip
        self.files = gr.Files(label="To keep", visible=False, elem_id="between-files", interactive=False)

    def wire(self, prompt: Any, picker: list[Any], settings: list[Any], keys: Any) -> None:
        """Connect the events."""
        inputs = [prompt, self.prompt, self.seed, self.count, keys, *picker, *settings]
        self.row.wire(self._runs, self._draw, inputs, [self.strip, self.picture, self.files])

    def _draw(
        self, cancel: CancelToken, prompt: str, second: str, seed: str, count: int, *beside: Any
    ) -> Iterator[Shown]:
        across = way_to(second or "", read_seed(seed) if seed.strip() else None, int(count))
        asked = read(self._engine, prompt, beside, num_images_per_prompt=1)
        must_follow(self._engine, asked, "seed", *(n for n in ("blend", "variation_strength") if n in across.values[0]))
        # The settings' own variation would be one seed too many.
        request = replace(asked.request, variation_seed=None, variation_strength=None)
        shown, gone = Grid(across, NOTHING, asked.settings, side=SIDE, figures=False), gr.update(visible=False)
        grid: list[list[tuple[Drawing, ImageRequest]]] = [[]]
        for grid in sweep(self._engine, request, asked.way, across, NOTHING, settings=asked.settings, cancel=cancel):
            yield Shown([shown.html(grid), gone, gone], status="Drawing the way")
        if files := _kept(grid[0], asked.settings):
            picture = gr.update(value=files[0], visible=True)
            yield Shown([shown.html(grid), picture, gr.update(value=files, visible=True)])


def _kept(frames: list[tuple[Drawing, ImageRequest]], settings: Settings) -> list[str]:
    """The files of the moving picture; none where a frame is lacking."""
    if any(drawing.receipt is None or not drawing.images or drawing.finish_reason != "stop" for drawing, _ in frames):
        return []
    seen = [safe(drawing.images[0], settings, str(_told(drawing)))[0] for drawing, _ in frames]
    drawing, request = frames[-1]
    return [
        path
        for kind in FORMS
        for path in write(f"{request.prompt} between", *moving(seen, drawing, request, settings, kind))
    ]


def _told(drawing: Drawing) -> Any:
    return drawing.receipt.extra.get("unchecked", "") if drawing.receipt else ""
