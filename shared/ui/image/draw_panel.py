"""The Draw tab: words in, a picture out, a preview on the way, and what was made so far."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.errors import InferenceError, InvalidRequest
from shared.image.drawing import Drawing, drawings
from shared.image.finishing import previews_looked_over
from shared.image.gate import gated
from shared.requests import ImageRequest
from shared.settings import Settings
from shared.tasks import Mode
from shared.ui import receipt_view
from shared.ui.image.control_panel import ControlPanel
from shared.ui.image.control_panel import asked as led_by
from shared.ui.image.files import keep
from shared.ui.image.larger_panel import LargerPanel
from shared.ui.image.restore_panel import picture_restore
from shared.ui.image.settings_panel import NAMES, to_request
from shared.ui.image.start_panel import StartPanel
from shared.ui.model_picker import Picked
from shared.ui.receipt_box import receipt_box
from shared.ui.running import run_and_stop, stopper
from shared.ui.sessions import Runs, with_keys
from shared.ui.sharing import ShareRow

EXAMPLES = ["a red apple", "a blue cat", "a rocket", "a sunflower", "a birthday cake", "a cat with sunglasses"]
# On a phone the picture lies below the controls.
SHOW_PICTURE = (
    """() => { document.querySelector("#picture").scrollIntoView({block: "nearest", behavior: "smooth"}); }"""
)
LIVE_SEED = "1"
BEFORE = 5  # values between the prompt and the settings: what was made, the keys, and what was picked
MOST_KEPT = 60  # pictures in a session's gallery


class DrawPanel:
    """The tab's components; `wire` connects them once the controls beside them exist."""

    def __init__(self, engine: Engine, runs: Runs, picked: Picked) -> None:
        self._engine, self._runs = engine, runs
        self.made = gr.State([])  # paths and captions, newest first
        self.last_seed = gr.State(None)  # of the run that ended last, where its engine has seeds
        with gr.Row(equal_height=False):
            with gr.Column(scale=5, min_width=300):
                self.prompt = gr.Textbox(
                    label="What to draw",
                    placeholder="a red apple",
                    lines=2,
                    max_lines=6,
                    elem_id="prompt",
                    autofocus=True,
                    submit_btn=False,
                )
                with gr.Row():
                    self.run, self.stop = run_and_stop("Draw", "draw", "stop")
                self.live = gr.Checkbox(
                    False, label="Draw as I type", info="For fast models. The seed stays.", elem_id="live"
                )
                gr.Examples(EXAMPLES, self.prompt, label="Try one", elem_id="examples")
                self.start = StartPanel(engine, picked)
                self.control = ControlPanel(engine, picked)
                self.restoring = picture_restore()
            with gr.Column(scale=6, min_width=300):
                self.picture = gr.Image(
                    label="Picture",
                    type="filepath",
                    interactive=False,
                    elem_id="picture",
                    height=420,
                    buttons=["download", "fullscreen"],
                )
                self.metrics = gr.HTML(receipt_view.metrics(None), elem_id="metrics")
                self.told = gr.HTML("", elem_id="told")
                self.larger = LargerPanel(engine.settings)
                self.sharing = ShareRow(self.restoring.name)
                self.receipt_box, self.receipt = receipt_box()
        self.gallery = gr.Gallery(
            label="Made here since the page opened",
            columns=8,
            height="auto",
            elem_id="gallery",
            object_fit="contain",
            visible=False,
            interactive=False,
            preview=False,
            buttons=["download", "fullscreen"],
        )

    @property
    def followers(self) -> list[Any]:
        """The sets of controls that follow the choice of an engine."""
        return [self.start.outpaint, self.control]

    @property
    def outputs(self) -> list[Any]:
        """What a drawing changes, in the order that `_screen` gives it."""
        shown = [self.picture, self.metrics, self.told, self.receipt_box, self.receipt]
        return [*shown, self.gallery, self.made, self.run, self.stop, self.last_seed]

    def wire(self, picker: list[Any], settings: list[Any], keys: Any) -> None:
        """Connect the events."""
        self.larger.wire(self.picture, self.told)
        self.control.wire(picker)
        ways = [*self.start.outpaint.values, *self.control.restored]
        self.restoring.wire(self.prompt, picker[0], [*settings, *ways])
        inputs = [self.prompt, self.made, keys, *picker, *settings, *self.start.values, *self.control.values]
        options: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "concurrency_limit": None}
        self.run.click(self.draw, inputs, self.outputs, **options)
        self.prompt.submit(self.draw, inputs, self.outputs, **options)
        live = [self.live, *inputs]
        # A picture for the newest words only: what was typed meanwhile is dropped.
        self.prompt.input(self.draw_live, live, self.outputs, trigger_mode="always_last", **options)
        for event in (self.run.click, self.prompt.submit):
            event(None, None, None, js=SHOW_PICTURE, api_visibility="private", show_progress="hidden")
        self.stop.click(stopper(self._runs), None, None, api_visibility="private", show_progress="hidden", queue=False)

    def draw(
        self,
        request: gr.Request,  # first, since Gradio hands it over by position only
        prompt: str,
        made: list[Any],
        keys: Any,
        model: str,
        mode: str,
        variant: str | None,
        *values: Any,
    ) -> Iterator[list[Any]]:
        """Draw, showing what there is about four times a second."""
        picked = Picked(model, mode, variant)
        try:
            asked = self._asked(prompt, values)
        except InferenceError as error:
            yield self._screen(Drawing(error=error), made, None)
            return
        settings = with_keys(self._engine.settings, keys)
        with self._runs.running(request.session_hash or "local") as (cancel,):
            try:
                if not picked.model:
                    raise InvalidRequest("Choose a model first.")
                events = self._engine.generate(
                    picked.model,
                    asked,
                    mode=Mode(picked.mode),
                    variant=picked.variant or None,
                    settings=settings,
                    cancel=cancel,
                )
                grows = drawings(gated(events, asked, settings, cancel))
                for drawing in previews_looked_over(grows, settings):
                    yield self._screen(drawing, made, asked, settings)
            except InferenceError as error:
                yield self._screen(Drawing(error=error), made, asked)

    def _asked(self, prompt: str, values: Sequence[Any]) -> ImageRequest:
        """The request that the controls make. Raises `InvalidRequest`."""
        options = to_request(values[: len(NAMES)])
        led = len(NAMES) + len(self.start.values)
        options |= {**self.start.read(*values[len(NAMES) : led]), **led_by(*values[led:])}
        if "outpaint" in options:
            options.pop("strength", None)  # of what is new there is nothing to keep
        return ImageRequest(prompt=prompt or "", **options)

    def draw_live(self, request: gr.Request, live: bool, prompt: str, *inputs: Any) -> Iterator[list[Any]]:
        """Draw what is typed so far, with one seed throughout, so that only the words change the picture."""
        if not live or not prompt.strip():
            yield [gr.skip() for _ in self.outputs]
            return
        values = list(inputs)
        at = BEFORE + NAMES.index("seed")
        values[at] = values[at] or LIVE_SEED
        values[0] = list(values[0])  # the gallery keeps what was asked for, not every letter
        for screen in self.draw(request, prompt, *values):
            screen[5] = screen[6] = gr.skip()
            yield screen

    def _screen(
        self, drawing: Drawing, made: list[Any], asked: ImageRequest | None, settings: Settings | None = None
    ) -> list[Any]:
        ended = drawing.done
        picture: Any = gr.skip() if drawing.preview is None else drawing.preview
        told = f'<div class="pg-note pg-error" role="alert">{escape(str(drawing.error))}</div>' if drawing.error else ""
        receipt: Any = gr.skip()
        if drawing.receipt is not None and asked is not None and drawing.images:
            paths, words = keep(drawing, asked, settings or self._engine.settings)
            told = f'<div class="pg-note pg-warn" role="status">{escape(words)}</div>' if words else told
            picture = paths[0]
            made[:0] = [(path, asked.prompt[:80]) for path in paths]
            del made[MOST_KEPT:]
        if drawing.receipt is not None:
            receipt = receipt_view.table(drawing.receipt)
            if drawing.finish_reason == "stopped":
                told += '<div class="pg-note" role="status">Stopped by you. What is shown is unfinished.</div>'
        box = gr.update(visible=True) if drawing.receipt else gr.skip()
        gallery = gr.update(value=list(made), visible=bool(made)) if ended else gr.skip()
        line = receipt_view.metrics(drawing.receipt, drawing.status)
        buttons = [gr.update(visible=ended), gr.update(visible=not ended)]
        seed = drawing.receipt.seed if drawing.receipt else gr.skip()
        return [picture, line, told, box, receipt, gallery, made, *buttons, seed]
