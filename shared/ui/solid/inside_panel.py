"""Look inside: the stages of the last solid, slices through it, and how resolution costs triangles and time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.errors import InvalidRequest
from shared.image.measuring import clip
from shared.solid.inside import slice_of, stages
from shared.solid.isosurface import surface
from shared.solid.likeness import from_all_sides
from shared.solid.voxels import voxels
from shared.streaming import CancelToken, Emit
from shared.ui.running import RunRow, Shown, done_meanwhile
from shared.ui.sessions import Runs, with_keys
from shared.ui.solid.given import NOTHING

AXES = [("From the side", 0), ("From above", 1), ("From the front", 2)]
GRIDS = (16, 24, 32, 48, 64, 96, 128)  # cells along the longest side
_PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
_ABOUT = (
    "The last solid, as far as its engine tells: where its object was found, how high each point rises, which parts "
    "were seen, and what is solid in a slice: by its signed distances where the engine made such a field."
)
_CLIP = (
    "Whether it shows the words from every side, as a CLIP model sees it. From the front a lift scores like its "
    "picture; from beside and behind it shows what geometry made up. The model is downloaded at its first use."
)
_GRIDS = (
    "The solid is cut into cells, and the surface of what they fill is found anew: marching tetrahedra, from coarse to "
    "fine. Cells grow with the cube of the resolution, triangles with its square."
)


class InsidePanel:
    """The tab's components and events."""

    def __init__(self, engine: Engine, runs: Runs) -> None:
        self._engine, self._runs = engine, runs
        gr.HTML(f'<div class="pg-quiet">{_ABOUT}</div>')
        self.look = gr.Button("Show the last solid", variant="primary", elem_id="inside-look")
        self.stages = gr.Gallery(
            label="Stages",
            columns=4,
            height="auto",
            object_fit="contain",
            elem_id="inside-stages",
            interactive=False,
            buttons=["download", "fullscreen"],
        )
        with gr.Row():
            with gr.Column(min_width=220):
                self.axis = gr.Radio(AXES, value=2, label="Slices", elem_id="inside-axis")
                self.at = gr.Slider(0, 1, 0.5, step=0.01, label="Where it is cut", elem_id="inside-at")
            self.slice = gr.Image(
                label="Solid is dark", interactive=False, height=280, elem_id="inside-slice", buttons=[]
            )
        gr.HTML(f'<div class="pg-quiet">{_GRIDS}</div>')
        self.row = RunRow("Try resolutions", "inside-grids")
        self.table = gr.HTML("", elem_id="inside-table")
        with gr.Accordion("CLIP score from all sides", open=False, elem_id="inside-clip-box"):
            gr.HTML(f'<div class="pg-quiet">{_CLIP}</div>')
            with gr.Row():
                self.words = gr.Textbox(label="Words", info="Blank: the prompt.", max_lines=1, elem_id="inside-words")
                self.clip = gr.Textbox(
                    clip.USUAL, label="CLIP", info="A Hub id; 1.7 GB.", max_lines=1, elem_id="inside-clip"
                )
            self.scoring = RunRow("Score it", "inside-score")
            self.scores = gr.HTML("", elem_id="inside-scores")

    def wire(self, made: Any, keys: Any) -> None:
        """Connect the events. `made`: the last solid."""
        outputs = [self.stages, self.slice]
        self.look.click(_looked, [made, self.axis, self.at], outputs, **_PRIVATE)
        for event in (self.axis.input, self.at.input):
            event(_cut, [made, self.axis, self.at], self.slice, trigger_mode="always_last", **_PRIVATE)
        self.row.wire(self._runs, _tried, [made], [self.table], no_engine=True)
        self.scoring.wire(self._runs, self._scored, [made, self.words, self.clip, keys], [self.scores])

    def _scored(self, cancel: CancelToken, made: Any, words: str, model: str, keys: Any) -> Iterator[Shown]:
        if made is None:
            raise InvalidRequest(NOTHING)
        asked = words.strip() or str(made.finished.made["request"].get("prompt", "")).strip()
        if not asked:
            raise InvalidRequest("There are no words to compare it with. Write what it should show.")
        settings = with_keys(self._engine.settings, keys)

        def work(emit: Emit) -> list[tuple[int, float]]:
            return from_all_sides(made.finished.solid, asked, model, settings, emit)

        found = yield from done_meanwhile(work, "Loading CLIP", cancel, 1)
        if found is None:
            return
        mean = sum(score for _, score in found) / len(found)
        turns = "".join(f"<th>{turn}°</th>" for turn, _ in found)
        scores = "".join(f"<td>{score:.1f}</td>" for _, score in found)
        rows = f"<tr>{turns}<th>Mean</th></tr><tr>{scores}<td>{mean:.1f}</td></tr>"
        yield Shown([f'<div class="pg-scroll"><table class="pg-table">{rows}</table></div>'])


def _looked(made: Any, axis: int, at: float) -> list[Any]:
    if made is None:
        gr.Warning(NOTHING)
        return [gr.skip(), gr.skip()]
    return [stages(made.output), slice_of(made.output, axis, at)]


def _cut(made: Any, axis: int, at: float) -> Any:
    return gr.skip() if made is None else slice_of(made.output, axis, at)


def _tried(cancel: CancelToken, made: Any) -> Iterator[Shown]:
    if made is None:
        raise InvalidRequest(NOTHING)
    rows: list[str] = []
    solid = made.output.solid
    for cells in GRIDS:
        if cancel.cancelled:
            break
        yield Shown([_table(rows)], status=f"{cells} cells")
        began = time.monotonic()
        found = voxels(solid, cells)
        cut = time.monotonic() - began
        _, faces = surface(found.filled * 2.0 - 1.0)
        seconds = time.monotonic() - began
        volume = found.filled.sum() * found.cell**3 / 1000
        cellsword = f"{found.filled.size:,}"
        values = (cells, cellsword, f"{len(faces):,}", f"{volume:.2f} cm³", f"{cut:.3f} s", f"{seconds - cut:.3f} s")
        rows.append("".join(f"<td>{value}</td>" for value in values))
    yield Shown([_table(rows)])


def _table(rows: list[str]) -> str:
    names = ("Resolution", "Cells", "Triangles", "Volume", "Cutting", "Surface")
    head = "".join(f"<th>{name}</th>" for name in names)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f'<div class="pg-scroll"><table class="pg-table"><tr>{head}</tr>{body}</table></div>' if rows else ""
