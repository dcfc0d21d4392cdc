"""The Learn tab: a scene learned from pictures of the last solid alone, as splats or as a field, as one watches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from shared.errors import InvalidRequest
from shared.solid.learning.scene import KINDS, Learned, learning
from shared.solid.learning.views import HELD_OUT, SEEN, SIDE
from shared.solid.mending import thinned
from shared.solid.opening import KINDS as KINDS_OF_MESH
from shared.solid.splats import ply
from shared.streaming import CancelToken
from shared.ui.running import RunRow, Shown
from shared.ui.sessions import Runs
from shared.ui.solid import viewer
from shared.ui.solid.files import write_bytes
from shared.ui.solid.given import given
from shared.ui.solid.viewer import MOST, Sight

_ABOUT = (
    f"{SEEN} pictures of the last solid, {SIDE} pixels square, are all that is learned from. Above: {HELD_OUT} views "
    "that were kept back. Below: the same views of what was learned so far. PSNR says how near they are: 20 dB is "
    "rough, 30 hard to tell apart. This is a teaching size, for a processor; scenes as one knows them take a GPU."
)
_COUNTS = {"splats": (400, 150), "field": (64, 300)}  # and steps
MOST_ROWS = 12


class LearnPanel:
    """The tab's components and events."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        gr.HTML(f'<div class="pg-quiet">{_ABOUT}</div>')
        with gr.Accordion("Another mesh of yours", open=False, elem_id="learn-mesh-box"):
            self.mesh = gr.File(
                label="GLB, PLY, STL, OBJ", file_types=list(KINDS_OF_MESH), height=120, elem_id="learn-mesh"
            )
        with gr.Row():
            kinds = [(label, name) for name, label in KINDS.items()]
            self.kind = gr.Radio(kinds, value="splats", label="What is learned", elem_id="learn-kind")
            self.count = gr.Slider(
                16, 1200, _COUNTS["splats"][0], step=8, label="Splats, or width of the network", elem_id="learn-count"
            )
            self.steps = gr.Slider(10, 1000, 150, step=10, label="Steps", elem_id="learn-steps")
        self.row = RunRow("Learn", "learn")
        self.picture = gr.Image(
            label="Wanted above, learned below", interactive=False, elem_id="learn-picture", buttons=["download"]
        )
        self.tried = gr.State([])  # rows of the table, newest last
        self.table = gr.HTML("", elem_id="learn-table")
        self.cloud = gr.State(None)  # the path of the splats' file
        self.splats = gr.Model3D(
            label="The splats: drag to turn", interactive=False, height=360, visible=False, elem_id="learn-splats"
        )

        self.surface = viewer.build("learn-surface")

    def wire(self, made: Any) -> None:
        """Connect the events. `made`: the last solid."""
        shown = [self.count, self.steps]
        self.kind.input(lambda kind: list(_COUNTS[kind]), self.kind, shown, queue=False, api_visibility="private")
        ways = [made, self.mesh, self.kind, self.count, self.steps, self.tried]
        self.row.wire(self._runs, _learned, ways, [self.picture, self.table, self.tried, self.cloud, self.surface])
        # By itself: the viewer shows nothing where it is told of one file twice, as a run's last telling is.
        self.cloud.change(_shown, self.cloud, self.splats, api_visibility="private", show_progress="hidden")


def _shown(path: str | None) -> Any:
    return gr.update(value=path, visible=path is not None)


def _learned(
    cancel: CancelToken, made: Any, mesh: str | None, kind: str, count: float, steps: float, tried: list[str]
) -> Iterator[Shown]:
    solid = thinned(given(made, mesh), MOST)  # its pictures are small
    told: Learned | None = None
    same = gr.skip()
    yield Shown([same, same, same, None, ""], status="Taking the pictures")
    for told in learning(solid, kind, int(count), int(steps)):
        status = f"Step {told.step} of {told.steps} · {told.decibels:.1f} dB · {told.seconds:.0f} s"
        yield Shown([told.picture, same, same, same, same], status=status)
        if cancel.cancelled:
            break
    assert told is not None
    values = (
        KINDS[kind],
        f"{int(count):,}",
        f"{told.size:,}",
        told.step,
        f"{told.seconds:.1f} s",
        f"{told.decibels:.2f} dB",
    )
    tried = [*tried, "".join(f"<td>{value}</td>" for value in values)][-MOST_ROWS:]
    path = write_bytes("learned.ply", ply(told.scene.splats())) if kind == "splats" else None  # type: ignore[attr-defined]
    yield Shown([told.picture, _table(tried), tried, path, _surface(told)])


def _surface(told: Learned) -> str:
    """For the viewer: where a field is dense; nothing of splats, nor of a field that is nowhere dense."""
    found = getattr(told.scene, "surface", None)
    try:
        sights = [Sight(found(), "Where the field is dense", "its surface, by marching tetrahedra")] if found else []
    except InvalidRequest:
        sights = []
    return viewer.told(sights)


def _table(rows: list[str]) -> str:
    names = ("Kind", "Splats or width", "Numbers learned", "Steps", "Time", "PSNR on views kept back")
    head = "".join(f"<th>{name}</th>" for name in names)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f'<div class="pg-scroll"><table class="pg-table"><tr>{head}</tr>{body}</table></div>'
