"""Lessons in clips: one click puts a run's words and settings on the screen, ready to be made."""

from __future__ import annotations

from typing import Any

import gradio as gr

from shared.lessons import Lesson, Part
from shared.ui.lessons_panel import LessonsPanel
from shared.ui.page import PRIVATE, Page
from shared.ui.video.make_panel import MakePanel
from shared.ui.video.settings_panel import NAMES


class VideoLessons:
    """The lessons, and the runs of the one that was begun, to be made one after another and compared."""

    def __init__(self, lessons: list[Lesson]) -> None:
        self._lessons = lessons
        self._panel = LessonsPanel("Lessons", lessons, unfolded=False)
        self._begun = gr.State(-1)  # which of the lessons
        with self._panel.box:
            self._run = gr.Radio([], label="Make each, and compare", visible=False, elem_id="lesson-run")

    def wire(self, page: Page, make: MakePanel, settings: list[Any]) -> None:
        """Connect the events."""
        put = [make.prompt, make.shots.controls["shots"], make.shots.controls["camera"], *settings]
        self._panel.wire(self._begin, [], [page.shown, self._begun, self._run, *put], **PRIVATE)
        self._run.input(self._choose, [self._begun, self._run], put, **PRIVATE)

    def _begin(self, lesson: Lesson) -> list[Any]:
        names = [part.name for part in lesson.parts]
        runs = gr.update(choices=names, value=names[0], visible=len(names) > 1)
        return [gr.update(selected="make"), self._lessons.index(lesson), runs, *values(lesson.parts[0])]

    def _choose(self, begun: int, name: str) -> list[Any]:
        return values(next(part for part in self._lessons[begun].parts if part.name == name))


def values(part: Part) -> list[Any]:
    """The words, the further shots, the camera, and what each setting gets; blank is the model's own."""
    asked = part.settings
    size = f"{asked['width']}x{asked['height']}" if {"width", "height"} <= set(asked) else ""
    given = {"size": size, **{name: "" if asked.get(name) is None else str(asked[name]) for name in NAMES[1:]}}
    shots = "\n".join(f"{start}: {prompt}" for start, prompt in asked.get("shots", ()))
    return [part.text, shots, asked.get("camera", ""), *(given[name] for name in NAMES)]
