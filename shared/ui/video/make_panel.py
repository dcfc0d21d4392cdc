"""The Make tab: words in, a clip out, which plays while it grows, and what was made so far."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.requests import VideoRequest
from shared.tasks import Task
from shared.ui import receipt_view
from shared.ui.following import following
from shared.ui.jobs_panel import Owner
from shared.ui.model_picker import Picked
from shared.ui.receipt_box import receipt_box
from shared.ui.running import PRIVATE, note, run_and_stop, stopper
from shared.ui.sessions import Runs, with_keys
from shared.ui.sharing import ShareRow
from shared.ui.video import film_view, shots_panel
from shared.ui.video.export_panel import ExportPanel
from shared.ui.video.making import Kept, Visit, followed, seconds_of
from shared.ui.video.restore_panel import clip_restore
from shared.ui.video.settings_panel import NAMES, to_request
from shared.ui.video.shots_panel import ShotsPanel

EXAMPLES = [
    ["a red apple", "a butterfly", ""],
    ["a sunflower", "", "zoom_in"],
    ["a rocket", "a star\nthe moon", ""],
    ["a blue cat", "an elephant", "roll_left"],
]
# On a phone the clip lies below the controls.
SHOW = """() => { document.querySelector("#film-box").scrollIntoView({block: "nearest", behavior: "smooth"}); }"""
MOST_KEPT = 30  # clips of a session


class MakePanel:
    """The tab's components; `wire` connects them once the controls beside them exist."""

    def __init__(self, engine: Engine, runs: Runs, picked: Picked) -> None:
        self._engine, self._runs = engine, runs
        self.made = gr.State([])  # paths and captions, newest first
        with gr.Row(equal_height=False):
            with gr.Column(scale=5, min_width=300):
                self.prompt = gr.Textbox(
                    label="What it shows",
                    placeholder="a red apple",
                    lines=2,
                    max_lines=6,
                    elem_id="prompt",
                    autofocus=True,
                    submit_btn=False,
                )
                self.shots = ShotsPanel(engine, runs, picked)
                with gr.Row():
                    self.run, self.stop = run_and_stop("Make the clip", "make", "stop")
                self.quoted = gr.HTML("", elem_id="quoted")
                self.agree = gr.Button("Agree and make it", variant="primary", elem_id="agree", visible=False)
                controls = self.shots.controls
                gr.Examples(
                    EXAMPLES, [self.prompt, controls["shots"], controls["camera"]], label="Try one", elem_id="examples"
                )
                self.restoring = clip_restore()
            with gr.Column(scale=6, min_width=300, elem_id="film-box"):
                self.growing = gr.HTML(film_view.NOTHING, elem_id="growing")
                self.film = gr.Video(
                    label="The clip",
                    interactive=False,
                    autoplay=True,
                    loop=True,
                    visible=False,
                    height=420,
                    buttons=["download"],
                    elem_id="film",
                )
                self.metrics = gr.HTML(receipt_view.metrics(None), elem_id="metrics")
                self.told = gr.HTML("", elem_id="told")
                self.export = ExportPanel()
                self.sharing = ShareRow(self.restoring.name)
                self.receipt_box, self.receipt = receipt_box()

    @property
    def outputs(self) -> list[Any]:
        """What a run changes, in the order that `_screen` gives it."""
        shown = [self.growing, self.film, self.metrics, self.told, self.receipt_box, self.receipt]
        return [*shown, self.made, self.run, self.stop, self.quoted, self.agree]

    def wire(self, picker: list[Any], settings: list[Any], keys: Any, owner: Owner) -> None:
        """Connect the events. `owner`: who finds again what hosted engines make."""
        self._owner_of = owner.of
        shots = [self.shots.controls[name] for name in shots_panel.NAMES]
        self.restoring.wire(self.prompt, picker[0], [*shots[:2], *settings])
        self.export.wire(self.film)
        self.shots.drawn.wire(self.prompt, settings[NAMES.index("seed")], keys, self.shots.controls["image"])
        inputs = [self.prompt, self.made, keys, owner.token, *picker, *shots, *settings]
        for event in (self.run.click, self.prompt.submit):
            event(self.follow, inputs, self.outputs, concurrency_limit=None, **PRIVATE)
            event(None, None, None, js=SHOW, **PRIVATE)
        self.agree.click(self.follow_agreed, inputs, self.outputs, concurrency_limit=None, **PRIVATE)
        self.stop.click(stopper(self._runs), None, None, queue=False, **PRIVATE)

    def follow(
        self,
        request: gr.Request,  # first, since Gradio hands it over by position only
        prompt: str,
        made: list[Any],
        *values: Any,
    ) -> Iterator[list[Any]]:
        """Make the clip, unless it costs something: that is told first, and must be agreed to."""
        yield from self._follow(request, prompt, made, values, agreed=False)

    def follow_agreed(self, request: gr.Request, prompt: str, made: list[Any], *values: Any) -> Iterator[list[Any]]:
        """Make the clip, whose cost was told and agreed to."""
        yield from self._follow(request, prompt, made, values, agreed=True)

    def _follow(
        self, request: gr.Request, prompt: str, made: list[Any], values: Sequence[Any], *, agreed: bool
    ) -> Iterator[list[Any]]:
        """The screen is told four times a second how far it is."""
        keys, token, *rest = values
        picked = Picked(*rest[:3])
        visit = Visit(settings=with_keys(self._engine.settings, keys), owner=self._owner_of(token), agreed=agreed)

        def ask() -> VideoRequest:
            return asked_for(self._engine, prompt, picked, keys, rest[3:])

        seen: tuple[int, int] | None = None
        for kept in followed(self._engine, self._runs, request, visit, picked, ask):
            frames = kept.clip.frames
            now = (len(frames), id(frames[-1])) if frames else None
            yield self._screen(kept, prompt, made, fresh=now is None or now != seen)
            seen = now

    def _screen(self, kept: Kept, prompt: str, made: list[Any], *, fresh: bool) -> list[Any]:
        """`fresh`: there is more to be seen than a moment ago; packing the same frames again would only cost time."""
        clip, ended = kept.clip, kept.clip.done or bool(kept.quoted)
        told = note(str(clip.error), "pg-error") if clip.error else note(kept.words, "pg-warn") if kept.words else ""
        growing: Any = gr.update(value=film_view.growing(clip), visible=True) if fresh else gr.skip()
        film: Any = gr.update(visible=False)
        if kept.paths:
            made[:0] = [(kept.paths[0], prompt[:80])]
            del made[MOST_KEPT:]
            growing, film = gr.update(visible=False), gr.update(value=kept.paths[0], visible=True)
        elif ended:
            growing = gr.update(value=film_view.growing(clip) if clip.frames else film_view.NOTHING, visible=True)
        if clip.receipt is not None and clip.receipt.notes:
            told += note(" ".join(clip.receipt.notes))
        if clip.finish_reason == "stopped":
            told += note("Stopped by you. What was whole by then is kept." if kept.paths else "Stopped by you.")
        box = table = gr.skip()
        if clip.receipt is not None:
            box, table = gr.update(visible=True), receipt_view.table(clip.receipt)
        line = receipt_view.metrics(clip.receipt, clip.status)
        buttons = [gr.update(visible=ended), gr.update(visible=not ended)]
        cost = [note(kept.quoted), gr.update(visible=bool(kept.quoted))]
        return [growing, film, line, told, box, table, made, *buttons, *cost]


def asked_for(engine: Engine, prompt: str, picked: Picked, keys: Any, values: Sequence[Any]) -> VideoRequest:
    """The request that the controls make: those of the shots, then the settings. Raises `InvalidRequest`."""
    count = len(shots_panel.NAMES)
    options = to_request(values[count : count + len(NAMES)])
    settings = with_keys(engine.settings, keys)
    seconds = seconds_of(engine, picked, settings, options)
    shots, camera, image, last_image, clip = values[:count]
    found = following(engine, Task.TEXT_TO_VIDEO, picked, settings)
    taken = clip if found and found.reason(shots_panel.CLIP) is None else None  # what isn't shown isn't asked for
    options |= shots_panel.read(shots, camera, image, last_image, taken, seconds)
    return VideoRequest(prompt=prompt or "", **options)
