"""Look inside: the stages of the last solid, slices through it, and how resolution costs triangles and time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import gradio as gr

from shared.errors import InvalidRequest
from shared.solid.inside import slice_of, stages
from shared.solid.isosurface import surface
from shared.solid.voxels import voxels
from shared.streaming import CancelToken
from shared.ui.running import RunRow, Shown
from shared.ui.sessions import Runs

AXES = [("From the side", 0), ("From above", 1), ("From the front", 2)]
GRIDS = (16, 24, 32, 48, 64, 96, 128)  # cells along the longest side
NOTHING = "There is no solid yet. Make one under Make first."
_PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
_ABOUT = (
    "The last solid, as far as its engine tells: where its object was found, how high each point rises, which parts "
    "were seen, and what is solid in a slice: by its signed distances where the engine made such a field."
)
_GRIDS = (
    "The solid is cut into cells, and the surface of what they fill is found anew: marching tetrahedra, from coarse to "
    "fine. Cells grow with the cube of the resolution, triangles with its square."
)


class InsidePanel:
    """The tab's components and events."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        gr.HTML(f'<div class="pg-quiet">{_ABOUT}</div>')
        self.look = gr.Button("Show the last solid", variant="primary", elem_id="inside-look")
        self.stages = gr.Gallery(
            label="Stages", columns=4, height="auto", object_fit="contain", elem_id="inside-stages", interactive=False
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

    def wire(self, made: Any) -> None:
        """Connect the events. `made`: the last solid."""
        outputs = [self.stages, self.slice]
        self.look.click(_looked, [made, self.axis, self.at], outputs, **_PRIVATE)
        for event in (self.axis.input, self.at.input):
            event(_cut, [made, self.axis, self.at], self.slice, trigger_mode="always_last", **_PRIVATE)
        self.row.wire(self._runs, _tried, [made], [self.table])


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
