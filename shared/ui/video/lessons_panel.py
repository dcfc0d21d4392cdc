"""Lessons in clips: a run's words and settings on the screen, ready to be made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from shared.lessons import Lesson, Part
from shared.ui.page import Page
from shared.ui.video.make_panel import MakePanel
from shared.ui.video.settings_panel import NAMES


class VideoLessons:
    """Where lessons are put: the Make tab, which a step opens."""

    def __init__(self, page: Page, make: MakePanel, settings: list[Any]) -> None:
        self.inputs: list[Any] = []
        shots = make.shots.controls
        self.outputs = [page.shown, make.prompt, shots["shots"], shots["camera"], *settings]

    def put(self, lesson: Lesson, parts: Sequence[Part]) -> list[Any]:
        """The words, the further shots, the camera, and what each setting gets; blank is the model's own."""
        (part,) = parts
        return [gr.update(selected="make"), *values(part)]


def values(part: Part) -> list[Any]:
    """What the components of a run get."""
    asked = part.settings
    size = f"{asked['width']}x{asked['height']}" if {"width", "height"} <= set(asked) else ""
    given = {"size": size, **{name: "" if asked.get(name) is None else str(asked[name]) for name in NAMES[1:]}}
    shots = "\n".join(f"{start}: {prompt}" for start, prompt in asked.get("shots", ()))
    return [part.text, shots, asked.get("camera", ""), *(given[name] for name in NAMES)]
