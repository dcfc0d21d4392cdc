"""A Space's lessons: a button for each, and what to think about."""

from __future__ import annotations

from collections.abc import Callable
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


def _beginner(begin: Callable[..., list[Any]], lesson: Lesson) -> Callable[..., list[Any]]:
    question = f'<div class="pg-note">{escape(lesson.question)}</div>'
    return lambda *given: [question, *begin(lesson, *given)]
