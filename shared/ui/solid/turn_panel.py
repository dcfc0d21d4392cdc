"""A clip in which the last solid, or a mesh of the visitor's, turns once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from shared.events import Progress
from shared.solid.rendering import STYLES
from shared.solid.turning import turntable
from shared.streaming import CancelToken
from shared.ui.running import RunRow, Shown, done_meanwhile
from shared.ui.sessions import Runs
from shared.ui.solid.files import write_bytes
from shared.ui.solid.given import given


class TurnPanel:
    """The part's components and events, folded away until it is wanted."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        with gr.Accordion("A clip that turns it once", open=False, elem_id="turn-box"):
            self.style = gr.Dropdown(
                [(label, name) for name, label in STYLES.items()],
                value="textured",
                label="Drawn as",
                elem_id="turn-style",
            )
            self.turn = RunRow("Turn it", "turn")
            self.clip = gr.Video(
                label="The clip", interactive=False, elem_id="turn-clip", height=320, buttons=["download"]
            )

    def wire(self, made: Any, mesh: Any) -> None:
        """Connect the events. `made`: the last solid; `mesh`: the file that goes before it."""
        self.turn.wire(self._runs, _turned, [made, mesh, self.style], [self.clip], no_engine=True)


def _turned(cancel: CancelToken, made: Any, mesh: str | None, style: str) -> Iterator[Shown]:
    def work(emit: Any) -> bytes:
        solid = given(made, mesh)
        return turntable(solid, style, step=lambda done, of: emit(Progress("Drawing", done, of)))

    clip = yield from done_meanwhile(work, "Opening the mesh", cancel, 1)
    if clip is None:
        return
    yield Shown([write_bytes("turning.mp4", clip)])
