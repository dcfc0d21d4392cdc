"""Files of the solid that is shown: of which kind, and of what it seems to be made."""

from __future__ import annotations

from typing import Any

import gradio as gr

from shared.errors import InferenceError
from shared.operation import beside
from shared.solid.files import KINDS, MATERIALS
from shared.ui.running import note
from shared.ui.solid.files import write

_PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
_NOTHING = "There is no solid yet. Make one first."


class SavePanel:
    """The choices, a button that writes the file, and the file."""

    def __init__(self) -> None:
        with gr.Column(min_width=180):
            materials = [(material.label, name) for name, material in MATERIALS.items()]
            self.material = gr.Dropdown(materials, value="painted", label="Material", elem_id="material")
            kinds = [(kind.label, name) for name, kind in KINDS.items()]
            self.kind = gr.Dropdown(kinds, value="glb", label="File", elem_id="kind")
            self.save = gr.Button("Write the file", elem_id="save", size="sm")
            self.file = gr.File(label="The file", visible=False, elem_id="file", height=70)

    def wire(self, made: Any, solid: Any, told: Any) -> None:
        """Connect the events. `made`: the last solid; `solid`: where it is shown."""
        self.save.click(_saved, [made, self.kind, self.material], [self.file, told], **_PRIVATE)
        self.material.input(_dressed, [made, self.material], solid, **_PRIVATE)


def _saved(made: Any, kind: str, material: str) -> list[Any]:
    if made is None:
        return [gr.skip(), note(_NOTHING, "pg-error")]
    try:
        with beside.in_turn():
            return [gr.update(value=write(made.finished, kind, material), visible=True), ""]
    except InferenceError as error:
        return [gr.skip(), note(str(error), "pg-error")]


def _dressed(made: Any, material: str) -> Any:
    return gr.skip() if made is None else write(made.finished, "glb", material)
