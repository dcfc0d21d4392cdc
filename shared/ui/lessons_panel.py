"""A Space's lessons: a button for each, and what to think about."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

import gradio as gr

from shared.lessons import Lesson


class LessonsPanel:
    """The buttons and the question, under a heading that can be folded."""

    def __init__(self, title: str, lessons: list[Lesson], *, unfolded: bool = True) -> None:
        self.lessons = lessons
        with gr.Accordion(title, open=unfolded, elem_id="lessons") as self.box:
            self._question = gr.HTML("", elem_id="lesson-question")
            self._buttons = [gr.Button(lesson.title, size="sm") for lesson in lessons]

    def wire(self, begin: Callable[..., list[Any]], inputs: list[Any], outputs: list[Any], **options: Any) -> list[Any]:
        """Connect the buttons: the lesson's question is shown, and `begin` says what comes into `outputs`.

        It is given the lesson and the inputs. Returns the events, for what follows them.
        """
        shown = [self._question, *outputs]
        pairs = zip(self._buttons, self.lessons, strict=True)
        return [button.click(_beginner(begin, lesson), inputs, shown, **options) for button, lesson in pairs]


def filled(
    names: Sequence[str], usual: Mapping[str, float], asked: Mapping[str, Any], own: Mapping[str, Any]
) -> dict[str, Any]:
    """What each control of those names gets for settings by a request's names.

    `usual`: what sliders show where nothing else is known. `own`: the model's values.
    """
    values: dict[str, Any] = dict.fromkeys(names, "")
    values |= {name: own.get(name, value) for name, value in usual.items()}
    return values | {name: value if name in usual else str(value) for name, value in asked.items() if value is not None}


def _beginner(begin: Callable[..., list[Any]], lesson: Lesson) -> Callable[..., list[Any]]:
    question = f'<div class="pg-note">{escape(lesson.question)}</div>'
    return lambda *given: [question, *begin(lesson, *given)]
