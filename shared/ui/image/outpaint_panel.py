"""How far to draw beyond a start picture's edges: on which sides, or to which shape."""

from __future__ import annotations

from html import escape
from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.errors import InferenceError
from shared.image.shapes import SHAPES
from shared.media.opening import open_picture
from shared.media.outpainting import Sides, enlarged_size, to_shape
from shared.requests import MOST_OUTPAINT
from shared.settings import Settings
from shared.tasks import Task
from shared.ui.following import Following, following
from shared.ui.model_picker import Picked

HINT = "The picture stays as it is, and more is drawn around it. Strength doesn't count: what is new is all new."
NO_SHAPE = ("As the numbers say", "")
# In the order of a request's `outpaint`
NAMES = ("left", "top", "right", "bottom")
MOST = 100 * MOST_OUTPAINT  # percent of the picture's own width or height


class OutpaintPanel:
    """The controls, folded away until they are wanted; greyed out with the reason where the engine can't."""

    def __init__(self, engine: Engine, picked: Picked) -> None:
        self._engine = engine
        note, *fitted = self._fitted(picked, engine.settings)
        with gr.Accordion("Draw beyond its edges", open=False, elem_id="outpaint-box"):
            self.note = gr.HTML(elem_id="outpaint-note", **note)
            self._shape = gr.Dropdown(
                [NO_SHAPE, *((name, name) for name in SHAPES)],
                value="",
                label="Shape",
                info="Adds as much on both sides as the shape needs.",
                elem_id="outpaint-shape",
                **fitted[0],
            )
            self._sides: dict[str, gr.Number] = {}
            for pair in (("left", "right"), ("top", "bottom")):
                with gr.Row():
                    for name in pair:
                        self._sides[name] = gr.Number(
                            0, minimum=0, maximum=MOST, step=5, label=f"{name.capitalize()}, %",
                            elem_id=f"outpaint-{name}", min_width=90, **fitted[1 + NAMES.index(name)],
                        )  # fmt: skip
            self._told = gr.HTML("", elem_id="outpaint-told")

    @property
    def values(self) -> list[Any]:
        """The controls that `read` reads, in its order."""
        return [self._shape, *(self._sides[name] for name in NAMES)]

    @property
    def inputs(self) -> list[Any]:
        """What `for_engine` changes."""
        return [self.note, *self.values]

    def for_engine(self, model: str, mode: str, variant: str | None, settings: Settings) -> list[Any]:
        """An update for each of `inputs`."""
        return [gr.update(**changes) for changes in self._fitted(Picked(model, mode, variant), settings)]

    def _fitted(self, picked: Picked, settings: Settings) -> list[dict[str, Any]]:
        reason = _why_not(following(self._engine, Task.TEXT_TO_IMAGE, picked, settings))
        words = f"Not for this engine: {reason}" if reason else HINT
        note = {"value": f'<div class="pg-quiet">{escape(words)}</div>'}
        return [note, *({"interactive": reason is None} for _ in (NO_SHAPE, *NAMES))]

    def wire(self, editor: Any) -> None:
        """Connect the events: the size that comes of it is told."""
        options: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "queue": False}
        for control in self.values:
            control.change(_told, [editor, *self.values], self._told, trigger_mode="always_last", **options)


def _why_not(found: Following | None) -> str | None:
    return found.reason("outpaint") if found else None


def read(size: tuple[int, int], shape: str, *percent: float) -> Sides | None:
    """A request's `outpaint` for a picture of that size; None where nothing is to be added."""
    left, top, right, bottom = ((value or 0) / 100 for value in percent)
    sides = left, top, right, bottom
    if shape in SHAPES:
        sides = to_shape(size, sides, SHAPES[shape])
    return sides if any(sides) else None


def _told(editor: Any, shape: str, *percent: float) -> str:
    background = (editor or {}).get("background")
    try:
        size = open_picture(background).size if background else None
    except InferenceError as error:
        return f'<div class="pg-note pg-error" role="alert">{escape(str(error))}</div>'
    sides = read(size, shape, *percent) if size else None
    if size is None or sides is None:
        return ""
    wide, tall = enlarged_size(size, sides)
    return f'<div class="pg-quiet" role="status">{size[0]} x {size[1]} becomes about {wide} x {tall} pixels.</div>'
