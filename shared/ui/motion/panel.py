"""The Motion tab: words in, a skeleton that moves out, and files of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.errors import InvalidRequest
from shared.motion.files import write_all
from shared.motion.making import moved
from shared.requests import MotionRequest
from shared.streaming import CancelToken
from shared.tasks import Mode
from shared.ui import receipt_view
from shared.ui.motion import player
from shared.ui.motion.restoring import motion_restore
from shared.ui.motion.settings import to_request
from shared.ui.receipt_box import receipt_box
from shared.ui.running import RunRow, Shown
from shared.ui.sessions import Runs, with_keys

EXAMPLES = ["a person walks forward and waves", "a person jumps twice", "a person sits down on a chair"]
NEEDED = (
    "No motion model comes along, and the published ones are pickles, which are never opened here. What works: the "
    "path of a folder, or a Hub id, of a model of the MDM class in safetensors, in the Model box above. The README of "
    "this Space says what lies in the folder, and how a published checkpoint is converted."
)
_CHOOSE = "Name a motion model first: its folder or its Hub id belongs into the Model box above."


class MotionPanel:
    """The tab's components; `wire` connects them once the controls beside them exist."""

    def __init__(self, engine: Engine, runs: Runs) -> None:
        self._engine, self._runs = engine, runs
        gr.HTML(f'<div class="pg-quiet">{NEEDED}</div>')
        self.prompt = gr.Textbox(
            label="What the person does", value=EXAMPLES[0], lines=2, max_lines=6, elem_id="motion-prompt"
        )
        gr.Examples(EXAMPLES, self.prompt, label="Try one", elem_id="motion-examples")
        self.seconds = gr.Slider(1, 9.8, value=6, step=0.1, label="Seconds", elem_id="motion-seconds")
        self.row = RunRow("Make it move", "motion")
        self.restoring = motion_restore()
        self.metrics = gr.HTML(receipt_view.metrics(None), elem_id="motion-metrics")
        self.player = player.build("motion-player")
        self.files = gr.File(
            label="Files: animated GLB, BVH", visible=False, interactive=False, file_count="multiple",
            elem_id="motion-files",
        )  # fmt: skip
        self.receipt_box, self.receipt = receipt_box("motion-")

    def wire(self, picker: list[Any], settings: list[Any], keys: Any) -> None:
        """Connect the events."""
        self.restoring.wire(self.prompt, picker[0], [self.seconds, *settings])
        outputs = [self.metrics, self.player, self.files, self.receipt_box, self.receipt]
        self.row.wire(self._runs, self._work, [self.prompt, self.seconds, keys, *picker, *settings], outputs)

    def _work(
        self, cancel: CancelToken, prompt: str, seconds: float, keys: Any,
        model: str, mode: str, variant: str | None, *values: Any,
    ) -> Iterator[Shown]:  # fmt: skip
        if not model:
            raise InvalidRequest(_CHOOSE)
        asked = MotionRequest(prompt=prompt or "", duration=float(seconds), **to_request(values))
        seen = with_keys(self._engine.settings, keys)
        events = self._engine.generate(
            model, asked, mode=Mode(mode), variant=variant or None, settings=seen, cancel=cancel
        )
        for made in moved(events):
            if made.error:
                raise made.error
            if made.receipt is None:
                yield Shown([gr.skip()] * 5, status=made.status)
                continue
            motion = made.output.motion if made.output else None
            shown = files = gr.skip()
            if motion is not None:
                shown = player.told(motion)
                files = gr.update(value=write_all(motion, made.receipt, asked), visible=True)
            told = [gr.update(visible=True), receipt_view.table(made.receipt)]
            stopped = "" if motion is not None else "Stopped by you. There is a motion only at the end."
            yield Shown([receipt_view.metrics(made.receipt), shown, files, *told], note=stopped)
