"""The Compare tab: one prompt and seed over engines, or over a grid of any two settings."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Iterator
from html import escape
from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.errors import InferenceError, InvalidRequest
from shared.image.drawing import Drawing
from shared.image.likeness import psnr
from shared.image.sweeping import NOTHING, READERS, Axis, Way, axis, sweep
from shared.requests import ImagePart, ImageRequest
from shared.tasks import Task
from shared.ui import receipt_view
from shared.ui.image.settings_panel import to_request
from shared.ui.model_picker import engine_label
from shared.ui.sessions import Runs, with_keys

SEPARATOR = "\t"  # between a model's id and a variant's key in a choice's value
AXES = [("Nothing", ""), ("Engine", "engine"), *((label, name) for name, (label, _) in READERS.items())]
SIDE = 220  # pixels of a picture in the grid


class ComparePanel:
    """The tab's components and events."""

    def __init__(self, engine: Engine, runs: Runs) -> None:
        self._engine, self._runs = engine, runs
        self.prompt = gr.Textbox(label="What to draw", value="a red apple", max_lines=4, elem_id="compare-prompt")
        ready = [c for c in engine.choices(Task.TEXT_TO_IMAGE) if c.reason is None]
        choices = [(f"{c.spec.name} · {engine_label(c)}", f"{c.spec.id}{SEPARATOR}{c.variant.key}") for c in ready]
        with gr.Row():
            self.across = gr.Dropdown(AXES, value="num_inference_steps", label="Across", elem_id="across")
            self.across_values = gr.Textbox("4, 10, 20", label="Values across", elem_id="across-values")
            self.down = gr.Dropdown(AXES, value="guidance_scale", label="Down", elem_id="down")
            self.down_values = gr.Textbox("1, 3, 6", label="Values down", elem_id="down-values")
        self.engines = gr.Dropdown(
            choices,
            value=[value for _, value in choices[:2]],
            multiselect=True,
            label="Engines, where they are compared",
            elem_id="compare-engines",
        )
        with gr.Row():
            self.run = gr.Button("Compare", variant="primary", elem_id="compare-run", min_width=120)
            self.stop = gr.Button("Stop", elem_id="compare-stop", visible=False, min_width=120)
        self.told = gr.HTML("", elem_id="compare-told")
        self.grid = gr.HTML("", elem_id="compare-grid")

    def wire(self, picker: list[Any], settings: list[Any], keys: Any) -> None:
        """Connect the events."""
        sides = [self.across, self.across_values, self.down, self.down_values, self.engines]
        options: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "concurrency_limit": None}
        outputs = [self.grid, self.told, self.run, self.stop]
        self.run.click(self._compare, [self.prompt, *sides, keys, *picker, *settings], outputs, **options)
        self.stop.click(self._stop, None, None, api_visibility="private", show_progress="hidden", queue=False)

    def _compare(
        self,
        request: gr.Request,  # first, since Gradio hands it over by position only
        prompt: str,
        across: str,
        across_values: str,
        down: str,
        down_values: str,
        engines: list[str],
        keys: Any,
        model: str,
        mode: str,
        variant: str | None,
        *values: Any,
    ) -> Iterator[list[Any]]:
        try:
            sides = _axis(across, across_values, engines), _axis(down, down_values, engines)
            if across and across == down:
                raise InvalidRequest("Across and down are the same. Choose another for one of them, or nothing.")
            asked = ImageRequest(prompt=prompt or "", **to_request(values))
            with self._runs.running(request.session_hash or "local") as (cancel,):
                settings = with_keys(self._engine.settings, keys)
                for grid in sweep(
                    self._engine, asked, Way(model, variant or None), *sides, settings=settings, cancel=cancel
                ):
                    yield [table(grid, *sides), "", gr.update(visible=False), gr.update(visible=True)]
            yield [gr.skip(), "", gr.update(visible=True), gr.update(visible=False)]
        except InferenceError as error:
            told = f'<div class="pg-note pg-error" role="alert">{escape(str(error))}</div>'
            yield [gr.skip(), told, gr.update(visible=True), gr.update(visible=False)]

    def _stop(self, request: gr.Request) -> None:
        self._runs.stop(request.session_hash or "local")


def _axis(name: str, text: str, engines: list[str]) -> Axis:
    if name != "engine":
        return axis(name, text)
    ways = [engine.partition(SEPARATOR) for engine in engines or []]
    if not ways:
        raise InvalidRequest("Choose the engines to compare.")
    labels = tuple(f"{model} · {key.split('|')[0]} {key.split('|')[-1]}" for model, _, key in ways)
    return Axis("engine", tuple(Way(model, key) for model, _, key in ways), labels)


def table(grid: list[list[tuple[Drawing, ImageRequest]]], across: Axis, down: Axis) -> str:
    """The grid as HTML: each picture with its time, memory, cost, and its likeness to the first."""
    first = grid[0][0][0]
    head = "".join(f"<th>{escape(label)}</th>" for label in across.labels)
    rows = "".join(
        f"<tr><th>{escape(label)}</th>{''.join(_cell(drawing, first) for drawing, _ in row)}</tr>"
        for label, row in zip(down.labels, grid, strict=True)
    )
    if across is NOTHING and down is NOTHING:
        head = ""
    return f'<div class="pg-scroll"><table class="pg-table pg-grid"><tr><th></th>{head}</tr>{rows}</table></div>'


def _cell(drawing: Drawing, first: Drawing) -> str:
    if drawing.error:
        return f'<td><div class="pg-note pg-error">{escape(str(drawing.error))}</div></td>'
    picture = ""
    if drawing.images:
        picture = _shown(drawing.images[0])
    elif drawing.preview is not None:
        picture = _data_url(drawing.preview)
    image = f'<img src="{picture}" width="{SIDE}" alt="">' if picture else ""
    return f'<td>{image}<div class="pg-quiet">{escape(_line(drawing, first))}</div></td>'


def _line(drawing: Drawing, first: Drawing) -> str:
    if drawing.receipt is None:
        return drawing.status
    seconds = drawing.receipt.seconds
    parts = [f"{seconds.total - seconds.load - seconds.queue:.1f} s", receipt_view.memory_text(drawing.receipt)]
    parts.append(receipt_view.cost_text(drawing.receipt))
    if drawing is not first and drawing.images and first.images:
        likeness = psnr(first.images[0], drawing.images[0])
        if likeness is not None:
            same = math.isinf(likeness)
            parts.append("same as the first" if same else f"{likeness:.1f} dB like the first")
    return " · ".join(parts)


def _shown(part: ImagePart) -> str:
    from PIL import Image

    image = Image.open(io.BytesIO(part.data)).convert("RGB")
    image.thumbnail((2 * SIDE, 2 * SIDE))
    return _data_url(image)


def _data_url(image: Any) -> str:
    file = io.BytesIO()
    image.convert("RGB").save(file, "WEBP", quality=90)
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"
