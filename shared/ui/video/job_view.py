"""Shows the clip that a job brought, as if it had just been made."""

from __future__ import annotations

from typing import Any

import gradio as gr

from shared.events import Final
from shared.requests import Request, VideoRequest
from shared.settings import Settings
from shared.ui import receipt_view
from shared.ui.receipt_box import receipt_box
from shared.ui.video.files import keep
from shared.video.finishing import finish


class JobView:
    """A player, and the receipt below it."""

    def __init__(self) -> None:
        self.film = gr.Video(
            label="The clip",
            interactive=False,
            loop=True,
            visible=False,
            height=420,
            buttons=["download"],
            elem_id="job-film",
        )
        self.told = gr.HTML("", elem_id="job-told")
        self.box, self.receipt = receipt_box("job-")
        self.outputs: list[Any] = [self.film, self.told, self.box, self.receipt]

    def show(self, final: Final, request: Request, settings: Settings) -> list[Any]:
        """The clip, looked over and with its receipt in the file. Raises `BackendError` where it can't be signed."""
        assert isinstance(request, VideoRequest)
        finished = finish(final.output, final.receipt, request, settings)
        path = keep(finished, request, final.receipt)[0]
        return [
            gr.update(value=path, visible=True),
            receipt_view.metrics(final.receipt),
            gr.update(visible=True, label=receipt_view.title(final.receipt)),
            receipt_view.table(final.receipt),
        ]
