"""The clip as another kind of file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from shared.errors import InferenceError, InvalidRequest
from shared.operation import beside
from shared.ui.running import PRIVATE, note
from shared.ui.video.files import write
from shared.video.exporting import KINDS, export


class ExportPanel:
    """The components, folded away until they are wanted."""

    def __init__(self) -> None:
        with gr.Accordion("Save as", open=False, elem_id="export-box"):
            with gr.Row():
                kinds = [(kind.label, name) for name, kind in KINDS.items()]
                self.kind = gr.Radio(kinds, value="webm", label="Kind of file", elem_id="export-kind", scale=3)
                self.button = gr.Button("Make the file", elem_id="export-run", scale=1, min_width=120)
            self.told = gr.HTML("", elem_id="export-told")
            self.file = gr.File(label="File", visible=False, interactive=False, elem_id="export-file")

    def wire(self, film: Any) -> None:
        """Connect the event. `film`: the clip that is shown."""
        options = {**PRIVATE, "show_progress": "minimal"}
        self.button.click(_export, [film, self.kind], [self.file, self.told], **options)


def _export(film: Any, kind: str) -> list[Any]:
    try:
        if not film:
            raise InvalidRequest("There is no clip yet. Make one first.")
        with beside.in_turn():
            data = export(Path(film).read_bytes(), kind)
        path = write(Path(film).stem, data, KINDS[kind].media_type)
        return [gr.update(value=path, visible=True), ""]
    except InferenceError as error:
        return [gr.skip(), note(str(error), "pg-error")]
