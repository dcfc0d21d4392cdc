"""The Storyboard tab: a shot a line, made one after another by the chosen engine, and joined."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.errors import InvalidRequest
from shared.media.opening import to_part
from shared.requests import VideoRequest
from shared.requests.video import MOST_SHOTS
from shared.settings import Settings
from shared.streaming import CancelToken
from shared.tasks import Task
from shared.ui.following import following
from shared.ui.model_picker import Picked
from shared.ui.running import RunRow, Shown
from shared.ui.sessions import Runs, with_keys
from shared.ui.video.files import write
from shared.ui.video.film_view import growing
from shared.ui.video.making import Visit, made
from shared.ui.video.settings_panel import to_request
from shared.video.joining import TRANSITIONS, join
from shared.video.reading import frames

HINT = (
    "Each line is a shot, with the settings beside, by the engine chosen above. They are made one after another and "
    "joined; what is whole stays when you stop."
)
EXAMPLE = "a red apple\nan apple tree\na birthday cake"
COSTS = "Engines that charge make one clip at a time under Make, where the cost of each is told and agreed to."


class StoryPanel:
    """The tab's components and events."""

    def __init__(self, engine: Engine, runs: Runs) -> None:
        self._engine, self._runs = engine, runs
        gr.HTML(f'<div class="pg-quiet">{HINT}</div>')
        with gr.Row(equal_height=False):
            with gr.Column(scale=5, min_width=300):
                self.shots = gr.Textbox(EXAMPLE, label="Shots", lines=5, max_lines=MOST_SHOTS, elem_id="story-shots")
                kinds = [(label, name) for name, label in TRANSITIONS.items()]
                self.transition = gr.Radio(kinds, value="fade", label="From shot to shot", elem_id="story-transition")
                self.on = gr.Checkbox(
                    False, label="Each begins with the last picture of the one before", elem_id="story-on"
                )
                self.row = RunRow("Make the story", "story")
            with gr.Column(scale=6, min_width=300):
                self.growing = gr.HTML("", elem_id="story-growing")
                self.film = gr.Video(
                    label="The story", interactive=False, autoplay=True, loop=True, height=420, visible=False,
                    buttons=["download"], elem_id="story-film",
                )  # fmt: skip

    def wire(self, picker: list[Any], settings: list[Any], keys: Any) -> None:
        """Connect the events."""
        inputs = [self.shots, self.transition, self.on, keys, *picker, *settings]
        self.row.wire(self._runs, self._made, inputs, [self.growing, self.film])

    def _made(
        self, cancel: CancelToken, shots: str, transition: str, on: bool, keys: Any, *values: Any
    ) -> Iterator[Shown]:
        picked, settings = Picked(*values[:3]), with_keys(self._engine.settings, keys)
        asked = to_request(values[3:])
        lines = [line.strip() for line in (shots or "").splitlines() if line.strip()]
        if not 0 < len(lines) <= MOST_SHOTS:
            raise InvalidRequest(f"Write 1 to {MOST_SHOTS} shots, one a line; there are {len(lines)}.")
        if on:
            _goes_on(self._engine, picked, settings)
        clips: list[bytes] = []
        visit = Visit(settings=settings)
        for number, line in enumerate(lines):
            request = VideoRequest(prompt=line, **asked)
            if on and clips:
                request = replace(request, image=to_part(list(frames(clips[-1]))[-1]))
            for kept in made(self._engine, request, picked, visit, cancel):
                if kept.quoted:
                    raise InvalidRequest(f"{kept.quoted} {COSTS}")
                if kept.clip.error:
                    raise kept.clip.error
                status = f"Shot {number + 1} of {len(lines)}: {kept.clip.status}"
                yield Shown([gr.update(value=growing(kept.clip), visible=True), gr.skip()], status=status)
            clips += [Path(path).read_bytes() for path in kept.paths[:1]]
            if cancel.cancelled:
                break
        if clips:
            path = write(lines[0], join(clips, transition).video, "video/mp4")
            note = "Stopped by you. What was whole is kept." if cancel.cancelled else ""
            yield Shown([gr.update(visible=False), gr.update(value=path, visible=True)], note=note)


def _goes_on(engine: Engine, picked: Picked, settings: Settings) -> None:
    """Raise `InvalidRequest` where the engine can't begin with a picture."""
    found = following(engine, Task.TEXT_TO_VIDEO, picked, settings)
    if found and (why := found.reason("image")):
        raise InvalidRequest(f"This engine can't begin with a picture: {why}")
