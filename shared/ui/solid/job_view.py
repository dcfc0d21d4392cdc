"""Shows the solid that a job brought, as if it had just been made."""

from __future__ import annotations

from typing import Any

import gradio as gr

from shared.events import Final
from shared.requests import Request, SolidRequest
from shared.settings import Settings
from shared.solid.finishing import finish
from shared.ui import receipt_view
from shared.ui.receipt_box import receipt_box
from shared.ui.solid import viewer
from shared.ui.solid.files import write
from shared.ui.solid.viewer import Sight


class JobView:
    """The solid to be turned, its file, and the receipt below it."""

    def __init__(self) -> None:
        self.solid = viewer.build("job-solid")
        self.file = gr.File(label="The file", visible=False, elem_id="job-file", height=70)
        self.told = gr.HTML("", elem_id="job-told")
        self.box, self.receipt = receipt_box("job-")
        self.outputs: list[Any] = [self.solid, self.file, self.told, self.box, self.receipt]

    def show(self, final: Final, request: Request, settings: Settings) -> list[Any]:
        """The solid, looked over and with its receipt in the file."""
        assert isinstance(request, SolidRequest)
        finished = finish(final.output, final.receipt, request, settings)
        receipt = finished.receipt or final.receipt
        return [
            viewer.told([Sight(finished.solid, request.prompt[:60] or "The solid", receipt.name)]),
            gr.update(value=write(finished, "glb"), visible=True),
            receipt_view.metrics(receipt),
            gr.update(visible=True, label=receipt_view.title(receipt)),
            receipt_view.table(receipt),
        ]
