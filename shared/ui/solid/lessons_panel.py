"""Lessons in solids: a run's words and settings on the screen, ready to be made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.lessons import Lesson, Part
from shared.requests.solid import VIEWS
from shared.tasks import Task
from shared.ui.following import values_of
from shared.ui.lessons_panel import filled
from shared.ui.model_picker import Picked
from shared.ui.page import Page
from shared.ui.solid.make_panel import MakePanel
from shared.ui.solid.settings_panel import NAMES, SLIDERS

_USUAL = {"back": "round", "see_through": False}


class SolidLessons:
    """Where lessons are put: the Make tab, which a step opens."""

    def __init__(self, engine: Engine, page: Page, make: MakePanel, settings: list[Any]) -> None:
        self._engine, self._page = engine, page
        self.inputs = [page.keys.state, *page.picker.inputs]
        self.outputs = [page.shown, *page.places, make.prompt, make.source, *make.views.inputs, *settings]

    def put(self, lesson: Lesson, parts: Sequence[Part], keys: Any, *picked: Any) -> list[Any]:
        """The words, no pictures, and the settings; those that the lesson leaves open are the model's own."""
        (part,) = parts
        own = values_of(self._engine, Task.TEXT_TO_3D, Picked(*picked), keys)
        values = filled(NAMES, SLIDERS, {name: value for name, value in part.settings.items() if name in NAMES}, own)
        values |= {name: part.settings.get(name, usual) for name, usual in _USUAL.items()}
        shown = [gr.update(selected="make"), *self._page.turned_to(Task.TEXT_TO_3D)]
        return [*shown, part.text, None, *[None] * len(VIEWS), *(values[name] for name in NAMES)]
