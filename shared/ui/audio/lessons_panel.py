"""Lessons in sound: a run's words and settings on the screen of its task, ready to be heard."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.lessons import Lesson, Part
from shared.tasks import Task
from shared.ui.following import values_of
from shared.ui.model_picker import Picked
from shared.ui.page import Page


@dataclass(frozen=True)
class Place:
    """Where a task's lessons are put: its tab, its words, and its settings as `controls` fills them."""

    task: Task
    tab: str
    words: Any
    settings: Sequence[Any]
    controls: Callable[[Mapping[str, Any], Mapping[str, Any]], list[Any]]


class AudioLessons:
    """Where lessons are put: the place of their task. `places`: the Space's first task first."""

    def __init__(self, engine: Engine, page: Page, *places: Place) -> None:
        self._engine, self._page, self._places = engine, page, places
        self.inputs = [page.keys.state, *(each for place in places for each in page.picker_of(place.task).inputs)]
        put = [component for place in places for component in (place.words, *place.settings)]
        self.outputs = [page.shown, *page.places, *put]

    def put(self, lesson: Lesson, parts: Sequence[Part], keys: Any, *picked: Any) -> list[Any]:
        """The words and the settings of the lesson's task; those that it leaves open are the model's own."""
        (part,) = parts
        here = next((place for place in self._places if place.task == lesson.task), self._places[0])
        values: list[Any] = [gr.update(selected=here.tab), *self._page.turned_to(here.task)]
        for number, place in enumerate(self._places):
            if place is not here:
                values += [gr.skip()] * (1 + len(place.settings))
                continue
            own = values_of(self._engine, place.task, Picked(*picked[3 * number : 3 * number + 3]), keys)
            values += [part.text, *place.controls(part.settings, own)]
        return values
