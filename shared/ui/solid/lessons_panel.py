"""Lessons in solids: one click puts a run's words, settings and picture on the screen, ready to be made."""

from __future__ import annotations

from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.lessons import Lesson, Part
from shared.requests.solid import VIEWS
from shared.tasks import Task
from shared.ui.following import following
from shared.ui.lessons_panel import LessonsPanel, filled
from shared.ui.model_picker import Picked
from shared.ui.page import PRIVATE, Page
from shared.ui.sessions import with_keys
from shared.ui.solid.make_panel import MakePanel
from shared.ui.solid.settings_panel import NAMES, SLIDERS

_USUAL = {"back": "round", "see_through": False}


class SolidLessons:
    """The lessons, and the runs of the one that was begun, to be made one after another and compared."""

    def __init__(self, engine: Engine, lessons: list[Lesson]) -> None:
        self._engine, self._lessons = engine, lessons
        self._panel = LessonsPanel("Lessons", lessons, unfolded=False)
        self._begun = gr.State(-1)  # which of the lessons
        with self._panel.box:
            self._run = gr.Radio([], label="Make each, and compare", visible=False, elem_id="lesson-run")

    def wire(self, page: Page, make: MakePanel, settings: list[Any]) -> None:
        """Connect the events."""
        self._page = page
        put = [make.prompt, make.source, *make.views.inputs, *settings]
        inputs = [page.keys.state, *page.picker.inputs]
        self._panel.wire(self._begin, inputs, [page.shown, *page.places, self._begun, self._run, *put], **PRIVATE)
        self._run.input(self._choose, [self._begun, self._run, *inputs], put, **PRIVATE)

    def _begin(self, lesson: Lesson, *where: Any) -> list[Any]:
        names = [part.name for part in lesson.parts]
        runs = gr.update(choices=names, value=names[0], visible=len(names) > 1)
        shown = [gr.update(selected="make"), *self._page.turned_to(Task.TEXT_TO_3D), self._lessons.index(lesson), runs]
        return [*shown, *self._put(lesson.parts[0], *where)]

    def _choose(self, begun: int, name: str, *where: Any) -> list[Any]:
        lesson = self._lessons[begun]
        return self._put(next(part for part in lesson.parts if part.name == name), *where)

    def _put(self, part: Part, keys: Any, *picked: Any) -> list[Any]:
        """The words, no pictures, and the settings; those that the lesson leaves open are the model's own."""
        found = following(self._engine, Task.TEXT_TO_3D, Picked(*picked), with_keys(self._engine.settings, keys))
        own = dict(found.defaults) if found else {}
        values = filled(NAMES, {name: slider[4] for name, slider in SLIDERS.items()}, {}, own)
        values |= _USUAL | {name: value for name, value in part.settings.items() if name in NAMES}
        values["seed"] = "" if values["seed"] in (None, "") else str(values["seed"])
        return [part.text, None, *[None] * len(VIEWS), *(values[name] for name in NAMES)]
