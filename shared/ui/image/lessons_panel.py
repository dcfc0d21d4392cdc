"""Lessons in pictures: one click puts a run's words, settings and start picture on the screen, ready to be drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.lessons import Lesson, Part
from shared.tasks import Task
from shared.ui.following import following
from shared.ui.image.draw_panel import DrawPanel
from shared.ui.image.settings_panel import NAMES, SLIDERS
from shared.ui.lessons_panel import LessonsPanel, filled
from shared.ui.model_picker import Picked
from shared.ui.page import PRIVATE, Page
from shared.ui.sessions import with_keys

UNLED = (None, None)  # no picture leads the drawing
NOT_BEYOND = ("", 0, 0, 0, 0)  # of drawing beyond the edges: no shape, and nothing on any side


class ImageLessons:
    """The lessons, and the runs of the one that was begun, to be drawn one after another and compared."""

    def __init__(self, engine: Engine, lessons: list[Lesson]) -> None:
        self._engine, self._lessons = engine, lessons
        self._panel = LessonsPanel("Lessons", lessons, unfolded=False)
        self._begun = gr.State(-1)  # which of the lessons
        with self._panel.box:
            self._run = gr.Radio([], label="Draw each, and compare", visible=False, elem_id="lesson-run")

    def wire(self, page: Page, draw: DrawPanel, settings: list[Any]) -> None:
        """Connect the events."""
        put = [draw.prompt, draw.start.box, *draw.start.values, draw.control.source, draw.control.shown, *settings]
        inputs = [page.keys.state, *page.picker.inputs]
        self._panel.wire(self._begin, inputs, [page.shown, self._begun, self._run, *put], **PRIVATE)
        self._run.input(self._choose, [self._begun, self._run, *inputs], put, **PRIVATE)

    def _begin(self, lesson: Lesson, *where: Any) -> list[Any]:
        names = [part.name for part in lesson.parts]
        runs = gr.update(choices=names, value=names[0], visible=len(names) > 1)
        shown = [gr.update(selected="draw"), self._lessons.index(lesson), runs]
        return [*shown, *self._put(lesson, lesson.parts[0], *where)]

    def _choose(self, begun: int, name: str, *where: Any) -> list[Any]:
        lesson = self._lessons[begun]
        return self._put(lesson, next(part for part in lesson.parts if part.name == name), *where)

    def _put(self, lesson: Lesson, part: Part, keys: Any, *picked: Any) -> list[Any]:
        """The words, the start picture and the settings; those that the lesson leaves open are the model's own."""
        found = following(self._engine, Task.TEXT_TO_IMAGE, Picked(*picked), with_keys(self._engine.settings, keys))
        own = dict(found.defaults) if found else {}
        start = [gr.update(open=lesson.image is not None), _opened(lesson), *NOT_BEYOND]
        return [part.text, *start, *UNLED, *controls(part.settings, own)]


def controls(asked: Mapping[str, Any], own: Mapping[str, Any]) -> list[Any]:
    """What each control gets, in the order of `NAMES`, for settings by a request's names. `own`: the model's values."""
    values = filled(NAMES, {name: slider[4] for name, slider in SLIDERS.items()}, asked, own)
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
