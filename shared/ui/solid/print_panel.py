"""The Print tab: can it be printed? Checked, mended, thinned out, smoothed and scaled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from html import escape
from typing import Any

import gradio as gr

from shared.errors import InvalidRequest
from shared.events import Progress
from shared.solid.baking import SIDES
from shared.solid.checking import check
from shared.solid.finishing import Finished
from shared.solid.measuring import figures
from shared.solid.mesh import Solid
from shared.solid.opening import KINDS
from shared.solid.reworking import Wished, reworked
from shared.streaming import CancelToken
from shared.ui.running import RunRow, Shown, done_meanwhile
from shared.ui.sessions import Runs
from shared.ui.solid import viewer
from shared.ui.solid.files import write
from shared.ui.solid.given import given
from shared.ui.solid.turn_panel import TurnPanel
from shared.ui.solid.viewer import Sight

BAKES = [("nothing", 0), *((f"{side} pixels", side) for side in SIDES)]
FILES = [("STL", "stl"), ("GLB", "glb"), ("PLY", "ply"), ("OBJ (zip)", "obj")]
_WEAR = ("glb", "obj")  # kinds of files that hold a texture
_BAKED = {
    "glb": "Baked onto {triangles:,} triangles: a texture, bumps and shade of {side} pixels. The GLB holds all three.",
    "obj": "Baked onto {triangles:,} triangles: of texture, bumps and shade the OBJ holds the texture, {side} pixels.",
}
_ABOUT = "Takes the last solid that was made here, or any mesh of yours."


class PrintPanel:
    """The tab's components and events."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        gr.HTML(f'<div class="pg-quiet">{_ABOUT}</div>')
        with gr.Row():
            with gr.Column(min_width=240):
                self.mesh = gr.File(
                    label="A mesh of yours: GLB, PLY, STL, OBJ",
                    file_types=list(KINDS),
                    height=160,
                    elem_id="print-mesh",
                )
                self.mend = gr.Checkbox(True, label="Mend it, where it isn't closed", elem_id="print-mend")
                self.upright = gr.Radio(
                    [("As it stands", True), ("On its back", False)],
                    value=True,
                    label="Printed",
                    elem_id="print-upright",
                )
            with gr.Column(min_width=240):
                self.size = gr.Slider(
                    0, 300, 0, step=5, label="Longest side, mm", info="0 keeps it.", elem_id="print-size"
                )
                self.share = gr.Slider(
                    5,
                    100,
                    100,
                    step=5,
                    label="Triangles kept, %",
                    info="Fewer make smaller files.",
                    elem_id="print-share",
                )
                self.rounds = gr.Slider(
                    0,
                    60,
                    0,
                    step=5,
                    label="Rounds of smoothing",
                    info="Taubin's, which hardly shrinks.",
                    elem_id="print-rounds",
                )
                self.bake = gr.Dropdown(
                    BAKES,
                    value=0,
                    label="Bake into textures",
                    info="Colours, fine shape as bumps, and shade.",
                    elem_id="print-bake",
                )
                self.kind = gr.Dropdown(FILES, value="stl", label="File", elem_id="print-kind")
        self.row = RunRow("Check and write the file", "print")
        self.findings = gr.HTML("", elem_id="print-findings")
        self.file = gr.File(label="The file", interactive=False, elem_id="print-file", height=90)
        self.views = viewer.build("print-views")
        self.turning = TurnPanel(runs)

    def wire(self, made: Any) -> None:
        """Connect the events. `made`: the last solid."""
        ways = [made, self.mesh, self.mend, self.upright, self.size, self.share, self.rounds, self.bake, self.kind]
        self.row.wire(self._runs, _worked, ways, [self.findings, self.file, self.views], no_engine=True)
        self.turning.wire(made, self.mesh)


def _worked(
    cancel: CancelToken,
    made: Any,
    mesh: str | None,
    mend: bool,
    upright: bool,
    size: float,
    share: float,
    rounds: float,
    bake: int,
    kind: str,
) -> Iterator[Shown]:
    if bake and kind not in _WEAR:
        raise InvalidRequest("Such a file has no room for textures. Choose GLB, which holds all of them, or OBJ.")

    def work(emit: Any) -> tuple[Solid, Solid, str]:
        def tell(what: str) -> None:
            emit(Progress(what))

        tell("Opening the mesh")
        before = given(made, mesh)
        solid, words = reworked(before, wished, tell)
        if bake:
            words = f"{words} {_BAKED[kind].format(side=bake, triangles=len(solid.faces))}".strip()
        tell("Checking")
        return before, solid, words

    wished = Wished(mend=mend, share=share, rounds=int(rounds), bake=bake, size=size)
    found = yield from done_meanwhile(work, "Opening the mesh", cancel, 3)
    if found is None:
        return
    before, solid, words = found
    path = write(_labelled(made, mesh, solid), kind)
    sights = [Sight(before, "Before", f"{len(before.faces):,} triangles")] if before is not solid else []
    sights.append(Sight(solid, "As written", f"{len(solid.faces):,} triangles"))
    table = _table(check(solid, upright=upright))
    yield Shown([table, path, viewer.told(sights)], note=words)


def _labelled(made: Any, mesh: str | None, solid: Solid) -> Finished:
    """The solid with how it was made, where that is known."""
    if mesh or made is None:
        return Finished(solid=solid, receipt=None, made=None)
    receipt = replace(made.finished.receipt, extra={**made.finished.receipt.extra, **figures(solid)})
    finished: Finished = replace(made.finished, solid=solid, receipt=receipt)
    return finished


def _table(findings: Any) -> str:
    marks = {True: "✓", False: "!", None: ""}
    rows = "".join(
        f"<tr><td>{marks[each.good]}</td><td>{escape(each.name)}</td><td>{escape(each.told)}</td></tr>"
        for each in findings
    )
    return f'<div class="pg-scroll"><table class="pg-table">{rows}</table></div>'
