"""Lessons in sound: one click puts a run's words and settings on the screen of its task, ready to be heard."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.lessons import Lesson, Part
from shared.tasks import Task
from shared.ui.following import following
from shared.ui.lessons_panel import LessonsPanel
from shared.ui.model_picker import Picked
from shared.ui.page import PRIVATE, Page
from shared.ui.sessions import with_keys


@dataclass(frozen=True)
class Place:
    """Where a task's lessons are put: its tab, its words, and its settings as `controls` fills them."""

    task: Task
    tab: str
    words: Any
    settings: Sequence[Any]
    controls: Callable[[Mapping[str, Any], Mapping[str, Any]], list[Any]]


class AudioLessons:
    """The lessons, and the runs of the one that was begun, to be heard one after another and compared."""

    def __init__(self, engine: Engine, lessons: list[Lesson]) -> None:
        self._engine, self._lessons = engine, lessons
        self._panel = LessonsPanel("Lessons", lessons, unfolded=False)
        self._begun = gr.State(-1)  # which of the lessons
        with self._panel.box:
            self._run = gr.Radio([], label="Hear each, and compare", visible=False, elem_id="lesson-run")

    def wire(self, page: Page, *places: Place) -> None:
        """Connect the events. `places`: of each task that has lessons, the Space's first task first."""
        self._page, self._places = page, places
        put = [component for place in places for component in (place.words, *place.settings)]
        inputs = [page.keys.state, *(each for place in places for each in page.picker_of(place.task).inputs)]
        self._panel.wire(self._begin, inputs, [page.shown, *page.places, self._begun, self._run, *put], **PRIVATE)
        self._run.input(self._choose, [self._begun, self._run, *inputs], put, **PRIVATE)

    def _place(self, lesson: Lesson) -> Place:
        return next((place for place in self._places if place.task == lesson.task), self._places[0])

    def _begin(self, lesson: Lesson, *where: Any) -> list[Any]:
        names = [part.name for part in lesson.parts]
        place = self._place(lesson)
        runs = gr.update(choices=names, value=names[0], visible=len(names) > 1)
        shown = [gr.update(selected=place.tab), *self._page.turned_to(place.task), self._lessons.index(lesson), runs]
        return [*shown, *self._put(lesson, lesson.parts[0], *where)]

    def _choose(self, begun: int, name: str, *where: Any) -> list[Any]:
        lesson = self._lessons[begun]
        return self._put(lesson, next(part for part in lesson.parts if part.name == name), *where)

    def _put(self, lesson: Lesson, part: Part, keys: Any, *picked: Any) -> list[Any]:
        """The words and the settings of the lesson's task; those that it leaves open are the model's own."""
        settings, values = with_keys(self._engine.settings, keys), []
        for number, place in enumerate(self._places):
            if place is not self._place(lesson):
                values += [gr.skip()] * (1 + len(place.settings))
                continue
            model = Picked(*picked[3 * number : 3 * number + 3])
            found = following(self._engine, place.task, model, settings)
            values += [part.text, *place.controls(part.settings, dict(found.defaults) if found else {})]
        return values
