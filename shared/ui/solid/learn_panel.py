"""The Learn tab: a scene learned from pictures alone, as splats or as a field, as one watches.

The pictures are of the last solid, of a mesh, or a person's own with where they were taken from.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from shared.errors import InvalidRequest
from shared.solid.learning.captures import FEWEST, MOST, open_capture
from shared.solid.learning.scene import KINDS, Learned, check, learning
from shared.solid.learning.views import HELD_OUT, SEEN, SIDE, Taken, taken_of
from shared.solid.mending import thinned
from shared.solid.opening import KINDS as KINDS_OF_MESH
from shared.solid.splats import ply
from shared.streaming import CancelToken
from shared.ui.running import RunRow, Shown
from shared.ui.sessions import Runs
from shared.ui.solid import viewer
from shared.ui.solid.files import write_bytes
from shared.ui.solid.given import given
from shared.ui.solid.viewer import MOST as MOST_SENT
from shared.ui.solid.viewer import Sight

_ABOUT = (
    f"{SEEN} pictures of the last solid, {SIDE} pixels square, are all that is learned from. Above: {HELD_OUT} views "
    "that were kept back. Below: the same views of what was learned so far. PSNR says how near they are: 20 dB is "
    "rough, 30 hard to tell apart. This is a teaching size, for a processor; scenes as one knows them take a GPU."
)
_CAPTURE = (
    f"Pictures taken from around a thing, {FEWEST} or more ({MOST} are used), and where each was taken from: zip the "
    "folder of NeRF, nerfstudio or an app that writes transforms.json, or COLMAP's (images, and sparse/0 as .bin or "
    ".txt). The middle square of each is used; a white or transparent background is learned best."
)
SHARES = (1 / 8, 1 / 4, 1 / 2, 1)  # of the count, when several are compared
MOST_ROWS = 12


class LearnPanel:
    """The tab's components and events."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        gr.HTML(f'<div class="pg-quiet">{_ABOUT}</div>')
        with gr.Accordion("Learn from something else", open=False, elem_id="learn-mesh-box"), gr.Row():
            with gr.Column(min_width=240):
                self.mesh = gr.File(
                    label="Another mesh: GLB, PLY, STL, OBJ", file_types=list(KINDS_OF_MESH), height=160,
                    elem_id="learn-mesh",
                )  # fmt: skip
            with gr.Column(min_width=240):
                self.capture = gr.File(
                    label="Photographs and their cameras: a zip", file_types=[".zip"], height=160, elem_id="learn-zip"
                )
                gr.HTML(f'<div class="pg-quiet">{_CAPTURE}</div>')
        with gr.Row():
            kinds = [(kind.label, name) for name, kind in KINDS.items()]
            self.kind = gr.Radio(kinds, value="splats", label="What is learned", elem_id="learn-kind")
            self.count = gr.Slider(elem_id="learn-count", **_counting("splats"))
            self.steps = gr.Slider(10, 5000, KINDS["splats"].steps, step=10, label="Steps", elem_id="learn-steps")
        self.several = gr.Checkbox(
            label="With an eighth, a quarter and half of them too, to see what more are worth", elem_id="learn-several"
        )
        self.row = RunRow("Learn", "learn")
        self.picture = gr.Image(
            label="Wanted above, learned below", interactive=False, elem_id="learn-picture", buttons=["download"]
        )
        self.tried = gr.State([])  # rows of the table, newest last
        self.table = gr.HTML("", elem_id="learn-table")
        self.plot = gr.LinePlot(x="count", y="PSNR", height=280, visible=False, elem_id="learn-plot")
        self.cloud = gr.State(None)  # the path of the splats' file
        self.splats = gr.Model3D(
            label="The splats: drag to turn", interactive=False, height=360, visible=False, elem_id="learn-splats"
        )
        self.surface = viewer.build("learn-surface")

    def wire(self, made: Any) -> None:
        """Connect the events. `made`: the last solid."""
        shown = [self.count, self.steps]
        self.kind.input(_fitting, self.kind, shown, queue=False, api_visibility="private")
        ways = [made, self.mesh, self.capture, self.kind, self.count, self.steps, self.several, self.tried]
        outputs = [self.picture, self.table, self.tried, self.plot, self.cloud, self.surface]
        self.row.wire(self._runs, _learned, ways, outputs, no_engine=True)
        # By itself: the viewer shows nothing where it is told of one file twice, as a run's last telling is.
        self.cloud.change(_shown, self.cloud, self.splats, api_visibility="private", show_progress="hidden")


def _counting(kind: str) -> dict[str, Any]:
    """The properties of the slider of counts."""
    wanted = KINDS[kind]
    label = "Splats" if wanted.splats else "Width of the network"
    return {"minimum": 16, "maximum": wanted.most, "value": wanted.count, "step": 8, "label": label}


def _fitting(kind: str) -> list[Any]:
    return [gr.update(**_counting(kind)), gr.update(value=KINDS[kind].steps)]


def _shown(path: str | None) -> Any:
    return gr.update(value=path, visible=path is not None)


def _taken(made: Any, mesh: str | None, capture: str | None, kind: str) -> Taken:
    """What is learned from. Raises `InvalidRequest` where there is nothing, or two things."""
    check(kind)
    side = KINDS[kind].side
    if capture and mesh:
        raise InvalidRequest("There are a mesh and photographs. Take one of them away.")
    return open_capture(capture, side) if capture else taken_of(thinned(given(made, mesh), MOST_SENT), side)


def _learned(
    cancel: CancelToken, made: Any, mesh: str | None, capture: str | None, kind: str, count: float, steps: float,
    several: bool, tried: list[str],
) -> Iterator[Shown]:  # fmt: skip
    same, hidden = gr.skip(), gr.update(visible=False)
    yield Shown(
        [same, same, same, hidden, None, ""], status="Opening the pictures" if capture else "Taking the pictures"
    )
    taken = _taken(made, mesh, capture, kind)
    near: list[tuple[int, float]] = []
    shares = SHARES if several else SHARES[-1:]
    for number, share in enumerate(shares, start=1):
        each, told = max(16, round(count * share)), None
        for told in learning(taken, kind, each, int(steps)):
            which = f"{number} of {len(shares)}: {each:,} · " if several else ""
            yield Shown([told.picture, *[same] * 5], status=which + _status(told))
            if cancel.cancelled:
                break
        assert told is not None
        near.append((each, told.decibels))
        tried = [*tried, _row(kind, each, told)][-MOST_ROWS:]
        ended = cancel.cancelled or number == len(shares)
        last = [_cloud(kind, told), _surface(told)] if ended else [same, same]
        plot = _plot(kind, near, int(steps)) if several and len(near) > 1 else same
        yield Shown([told.picture, _table(tried), tried, plot, *last])
        if ended:
            return


def _status(told: Learned) -> str:
    return f"Step {told.step} of {told.steps} · {told.decibels:.1f} dB · {told.seconds:.0f} s"


def _cloud(kind: str, told: Learned) -> str | None:
    """The path of the splats' file; None of a field."""
    return write_bytes("learned.ply", ply(told.scene.splats())) if KINDS[kind].splats else None  # type: ignore[attr-defined]


def _surface(told: Learned) -> str:
    """For the viewer: where a field is dense; nothing of splats, nor of a field that is nowhere dense."""
    found = getattr(told.scene, "surface", None)
    try:
        sights = [Sight(found(), "Where the field is dense", "its surface, by marching tetrahedra")] if found else []
    except InvalidRequest:
        sights = []
    return viewer.told(sights)


def _plot(kind: str, near: list[tuple[int, float]], steps: int) -> Any:
    import pandas

    frame = pandas.DataFrame([{"count": count, "PSNR": round(decibels, 2)} for count, decibels in near])
    what = "Splats" if KINDS[kind].splats else "Width"
    low, high = frame["PSNR"].min(), frame["PSNR"].max()
    return gr.LinePlot(
        frame, x="count", y="PSNR", x_title=what, y_title="PSNR, dB", y_lim=[low - 1, high + 1],
        title=f"{what} and what they are worth, after {steps} steps each", visible=True,
    )  # fmt: skip


def _row(kind: str, count: int, told: Learned) -> str:
    values = (
        KINDS[kind].label,
        f"{count:,}",
        f"{told.size:,}",
        f"{told.step:,}",
        f"{told.seconds:.1f} s",
        f"{told.decibels:.2f} dB",
    )
    return "".join(f"<td>{value}</td>" for value in values)


def _table(rows: list[str]) -> str:
    names = ("Kind", "Splats or width", "Numbers learned", "Steps", "Time", "PSNR on views kept back")
    head = "".join(f"<th>{name}</th>" for name in names)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f'<div class="pg-scroll"><table class="pg-table"><tr>{head}</tr>{body}</table></div>'
