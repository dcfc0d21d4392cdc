"""The World tab: a picture that is walked through by keys, frame after frame, by a world model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from shared.backends import get_backend
from shared.engine import Engine
from shared.errors import InvalidRequest
from shared.requests import VideoRequest
from shared.streaming import CancelToken
from shared.tasks import Task
from shared.ui.model_picker import Picked, engine_label
from shared.ui.running import PRIVATE, RunRow, Shown
from shared.ui.sessions import Runs, with_keys
from shared.ui.video.film_view import growing
from shared.ui.video.making import Visit, made
from shared.ui.video.settings_panel import to_request
from shared.ui.video.shots_panel import picture

HINT = (
    "A world model goes on from your picture as you walk and look around. None is small enough to come along: those "
    "below are downloaded at their first use, and want a large GPU. Any Hub id or folder of such a model can be typed."
)
KEYS = {
    "w": "↑ forwards",
    "a": "← left",
    "s": "↓ back",
    "d": "→ right",
    "j": "look left",
    "l": "look right",
    "i": "look up",
    "k": "look down",
}
WALK = "Keys and how many frames each is held: w-40,jw-20"
HELD = 16  # frames that a press of a button adds


class WorldPanel:
    """The tab's components and events."""

    def __init__(self, engine: Engine, runs: Runs) -> None:
        self._engine, self._runs = engine, runs
        gr.HTML(f'<div class="pg-quiet">{HINT}</div>')
        with gr.Row(equal_height=False):
            with gr.Column(scale=5, min_width=300):
                self.model = gr.Dropdown(
                    self._choices(), label="World model", allow_custom_value=True, elem_id="world-model"
                )
                self.picture = gr.Image(
                    label="Where you stand",
                    type="filepath",  # opened under our own limits
                    sources=["upload", "clipboard"],
                    height=220,
                    elem_id="world-picture",
                )
                self.prompt = gr.Textbox(label="What it is", placeholder="a garden path", elem_id="world-prompt")
                self.action = gr.Textbox(
                    "w-40",
                    label="Walk",
                    info="Keys and how many frames each is held: w-40,jw-20",
                    elem_id="world-action",
                )
                with gr.Row():
                    self.buttons = {
                        key: gr.Button(words, size="sm", min_width=90, elem_id=f"world-{key}")
                        for key, words in KEYS.items()
                    }
                self.row = RunRow("Walk", "world")
            with gr.Column(scale=6, min_width=300):
                self.growing = gr.HTML("", elem_id="world-growing")
                self.film = gr.Video(
                    label="The walk", interactive=False, autoplay=True, loop=True, height=420, visible=False,
                    buttons=["download"], elem_id="world-film",
                )  # fmt: skip

    def wire(self, settings: list[Any], keys: Any) -> None:
        """Connect the events."""
        for key, button in self.buttons.items():
            button.click(_adder(key), self.action, self.action, queue=False, **PRIVATE)
        inputs = [self.model, self.picture, self.prompt, self.action, keys, *settings]
        self.row.wire(self._runs, self._walked, inputs, [self.growing, self.film])

    def _choices(self) -> list[tuple[str, str]]:
        """Every world model that is listed, those too that can't run here: running says why."""
        return [
            (f"{c.spec.name} · {engine_label(c)}" + ("" if c.reason is None else " (not here)"), c.spec.id)
            for c in self._engine.choices(Task.TEXT_TO_VIDEO)
            if "action" in get_backend(c.variant.backend).capabilities(c.variant).parameters
        ]

    def _walked(
        self,
        cancel: CancelToken,
        model: str | None,
        path: str | None,
        prompt: str,
        action: str,
        keys: Any,
        *values: Any,
    ) -> Iterator[Shown]:
        if not model:
            raise InvalidRequest("Choose a world model, or type one's Hub id or folder.")
        if not path:
            raise InvalidRequest("Put in a picture of where the walk begins.")
        asked = VideoRequest(
            prompt=prompt or "a place",
            image=picture(path),
            action="".join((action or "").split()).lower() or None,
            **to_request(values),
        )
        visit = Visit(settings=with_keys(self._engine.settings, keys))
        for kept in made(self._engine, asked, Picked(model, "local", None), visit, cancel):
            if kept.clip.error:
                raise kept.clip.error
            film: Any = gr.update(value=kept.paths[0], visible=True) if kept.paths else gr.skip()
            shown = gr.update(value=growing(kept.clip), visible=not kept.paths)
            yield Shown([shown, film], status=kept.clip.status, note=kept.words)


def _button(key: str, words: str) -> gr.Button:
    return gr.Button(words, size="sm", min_width=90, elem_id=f"world-{key}")


def _adder(key: str) -> Any:
    def add(action: str) -> str:
        """The same key again is held longer; another begins a new part."""
        *before, last = (action or "").split(",")
        held, _, frames = last.rpartition("-")
        if held == key and frames.isdecimal():
            return ",".join([*before, f"{key}-{int(frames) + HELD}"])
        return ",".join(part for part in [*before, last, f"{key}-{HELD}"] if part)

    return add
