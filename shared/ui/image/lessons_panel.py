"""Lessons in pictures: a run's words, settings and start picture on the screen, ready to be drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.lessons import Lesson, Part
from shared.tasks import Task
from shared.ui.following import values_of
from shared.ui.image.draw_panel import DrawPanel
from shared.ui.image.settings_panel import NAMES, SLIDERS
from shared.ui.lessons_panel import filled
from shared.ui.model_picker import Picked
from shared.ui.page import Page

UNLED = (None, None)  # no picture leads the drawing
NOT_BEYOND = ("", 0, 0, 0, 0)  # of drawing beyond the edges: no shape, and nothing on any side


class ImageLessons:
    """Where lessons are put: the Draw tab, which a step opens."""

    def __init__(self, engine: Engine, page: Page, draw: DrawPanel, settings: list[Any]) -> None:
        self._engine = engine
        self.inputs = [page.keys.state, *page.picker.inputs]
        start = [draw.start.box, *draw.start.values]
        self.outputs = [page.shown, draw.prompt, *start, draw.control.source, draw.control.shown, *settings]

    def put(self, lesson: Lesson, parts: Sequence[Part], keys: Any, *picked: Any) -> list[Any]:
        """The words, the start picture and the settings; those that the lesson leaves open are the model's own."""
        own = values_of(self._engine, Task.TEXT_TO_IMAGE, Picked(*picked), keys)
        start = [gr.update(open=lesson.image is not None), _opened(lesson), *NOT_BEYOND]
        (part,) = parts
        return [gr.update(selected="draw"), part.text, *start, *UNLED, *controls(part.settings, own)]


def controls(asked: Mapping[str, Any], own: Mapping[str, Any]) -> list[Any]:
    """What each control gets, in the order of `NAMES`, for settings by a request's names. `own`: the model's values."""
    values = filled(NAMES, SLIDERS, asked, own)
    if "width" in asked and "height" in asked:
        values["size"] = f"{asked['width']}x{asked['height']}"
    return [values[name] for name in NAMES]


def _opened(lesson: Lesson) -> Any:
    """The start picture for the editor; as a picture, since Gradio hands out no file of the project's folders."""
    if lesson.image is None:
        return None
    from PIL import Image

    with Image.open(lesson.image) as picture:
        return {"background": picture.convert("RGBA"), "layers": [], "composite": None}
