"""A picture that leads the drawing by its edges, lines or depth: how it is read is seen before the run."""

from __future__ import annotations

from html import escape
from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.errors import InferenceError
from shared.media.opening import open_picture, to_part
from shared.media.reading import READERS, read
from shared.settings import Settings
from shared.tasks import Task
from shared.ui.following import Following, following
from shared.ui.model_picker import Picked

HINT = "Put in a photo or a sketch: the drawing follows its edges or lines, and the words say what it becomes."
PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


class ControlPanel:
    """The controls, folded away until they are wanted; greyed out with the reason where the engine can't be led."""

    def __init__(self, engine: Engine, picked: Picked) -> None:
        self._engine = engine
        note, kind, reader, *others = self._fitted(picked, engine.settings)
        with gr.Accordion("Lead it by a picture (ControlNet)", open=False, elem_id="control-box"):
            self.note = gr.HTML(elem_id="control-note", **note)
            self.kind = gr.Dropdown(label="Led by", elem_id="control-kind", **kind)
            self.reader = gr.Radio(
                [(label, name) for name, (label, _) in READERS.items()],
                label="Read from the picture",
                elem_id="control-reader",
                **reader,
            )
            with gr.Row():
                self.source = gr.Image(
                    label="Your picture", type="filepath", height=200, sources=["upload", "clipboard"], min_width=130,
                    elem_id="control-source", **others[0],
                )  # fmt: skip
                # PNG, since lines would blur in a lossy form
                self.shown = gr.Image(
                    label="The model sees", type="filepath", format="png", height=200, interactive=False,
                    min_width=130, elem_id="control-shown", buttons=["fullscreen"],
                )  # fmt: skip
            self.scale = gr.Slider(0, 2, 1, step=0.05, label="How strongly", elem_id="control-scale", **others[1])
            self.end = gr.Slider(
                0.05, 1, 1, step=0.05, label="Until this share of the steps", elem_id="control-end", **others[2]
            )
        for event in (self.source.change, self.reader.change):
            event(_shown, [self.source, self.reader], self.shown, **PRIVATE)

    @property
    def values(self) -> list[Any]:
        """The controls that `asked` reads, in its order."""
        return [self.shown, *self.restored]

    @property
    def restored(self) -> list[Any]:
        """Those that a dropped picture sets: what leads, how strongly, and until when."""
        return [self.kind, self.scale, self.end]

    @property
    def inputs(self) -> list[Any]:
        """What `for_engine` changes."""
        return [self.note, self.kind, self.reader, self.source, self.scale, self.end]

    def for_engine(self, model: str, mode: str, variant: str | None, settings: Settings) -> list[Any]:
        """An update for each of `inputs`."""
        return [gr.update(**changes) for changes in self._fitted(Picked(model, mode, variant), settings)]

    def wire(self, picker: list[Any]) -> None:
        """Connect the event: another control is usually shown another thing."""
        self.kind.input(self._usual_reader, [self.kind, *picker], self.reader, queue=False, **PRIVATE)

    def _fitted(self, picked: Picked, settings: Settings) -> list[dict[str, Any]]:
        found = following(self._engine, Task.TEXT_TO_IMAGE, picked, settings)
        controls = found.capabilities.controls if found else ()
        reason = _why_not(found)
        words = f"Not for this engine: {reason}" if reason else HINT
        able = {"interactive": reason is None}
        choices = [(control.name, control.id) for control in controls]
        return [
            {"value": f'<div class="pg-quiet">{escape(words)}</div>'},
            {"choices": choices, "value": choices[0][1] if choices else None, **able},
            {"value": controls[0].reader if controls else "edges", **able},
            *({**able} for _ in range(3)),
        ]

    def _usual_reader(self, kind: str, *picked: Any) -> Any:
        found = following(self._engine, Task.TEXT_TO_IMAGE, Picked(*picked), self._engine.settings)
        controls = found.capabilities.controls if found else ()
        return next((control.reader for control in controls if control.id == kind), gr.skip())


def _why_not(found: Following | None) -> str | None:
    return found.reason("control_image") if found else None


def _shown(source: str | None, reader: str) -> Any:
    """What the model sees of the picture."""
    if not source:
        return None
    try:
        return read(open_picture(source), reader)
    except InferenceError as error:
        raise gr.Error(str(error), print_exception=False) from None


def asked(shown: str | None, kind: str | None, scale: float, end: float) -> dict[str, Any]:
    """A request's fields; none where there is no picture that leads. Raises `InvalidRequest`."""
    if not shown:
        return {}
    options: dict[str, Any] = {"control_image": to_part(open_picture(shown)), "control": kind or None}
    options["controlnet_conditioning_scale"] = scale
    return options if end >= 1 else {**options, "control_guidance_end": end}
