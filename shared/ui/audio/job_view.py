"""Shows the music or the sound that a job brought, as if it had just been made."""

from __future__ import annotations

from typing import Any

import gradio as gr

from shared.audio.finishing import finish
from shared.events import Final
from shared.requests import Request
from shared.settings import Settings
from shared.ui import receipt_view
from shared.ui.audio.files import keep
from shared.ui.audio.made_sound import made_sound
from shared.ui.receipt_box import receipt_box


class JobView:
    """A player, and the receipt below it."""

    def __init__(self) -> None:
        self.sound = made_sound(label="The sound", name="job-sound")
        self.told = gr.HTML("", elem_id="job-told")
        self.box, self.receipt = receipt_box("job-")
        self.outputs: list[Any] = [self.sound, self.told, self.box, self.receipt]

    def show(self, final: Final, request: Request, settings: Settings) -> list[Any]:
        """The sound, measured and with its receipt in the file. Raises `BackendError` where it can't be written."""
        finished = finish(final.output, final.receipt, request, "wav")
        return [
            gr.update(value=keep(finished, request)[0], visible=True),
            receipt_view.metrics(finished.receipt),
            gr.update(visible=True, label=receipt_view.title(finished.receipt)),
            receipt_view.table(finished.receipt),
        ]
