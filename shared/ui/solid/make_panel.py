"""The Make tab: words or a picture in, a solid out that can be turned, and files of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.errors import InferenceError, InvalidRequest
from shared.image.gate import gated
from shared.media.opening import open_picture, to_part
from shared.outputs import SolidOutput
from shared.requests import SolidRequest
from shared.settings import Settings
from shared.solid.finishing import Finished, finish
from shared.solid.making import Making, makings
from shared.tasks import Mode, Task
from shared.ui import receipt_view
from shared.ui.following import following
from shared.ui.jobs_panel import Owner
from shared.ui.model_picker import Picked
from shared.ui.receipt_box import receipt_box
from shared.ui.running import note, run_and_stop, stopper
from shared.ui.sessions import Runs, with_keys
from shared.ui.sharing import Made as Handed
from shared.ui.sharing import ShareRow, made_by_file
from shared.ui.solid import views_panel
from shared.ui.solid.files import write
from shared.ui.solid.restoring import solid_restore
from shared.ui.solid.saving import SavePanel
from shared.ui.solid.settings_panel import NAMES, to_request
from shared.ui.solid.views_panel import ViewsPanel

EXAMPLES = ["a red apple", "a mushroom", "a birthday cake", "a sunflower", "a blue cat", "a green frog"]
HINT = (
    "One thing before a plain background, or with transparency. The words then only name it. What it doesn't show is "
    "mirrored; a TripoSR folder of yours, named in the Model box, makes that up: the README of this Space says how."
)
_PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
# On a phone the solid lies below the controls.
SHOW = """() => { document.querySelector("#solid").scrollIntoView({block: "nearest", behavior: "smooth"}); }"""


@dataclass(frozen=True)
class Made:
    """What the page keeps of the last solid: with its receipt, how it came about, and the file that is shown."""

    finished: Finished
    output: SolidOutput
    path: str


def shown(made: Made | None) -> Handed:
    """What can be handed on. Raises `InvalidRequest` where there is nothing yet."""
    return made_by_file(made.path if made else None)


class MakePanel:
    """The tab's components; `wire` connects them once the controls beside them exist."""

    def __init__(self, engine: Engine, runs: Runs, picked: Picked) -> None:
        self._engine, self._runs = engine, runs
        self.made = gr.State(None)  # a `Made`
        with gr.Row(equal_height=False):
            with gr.Column(scale=5, min_width=300):
                self.prompt = gr.Textbox(
                    label="What to make",
                    placeholder="a red apple",
                    lines=2,
                    max_lines=6,
                    elem_id="prompt",
                    autofocus=True,
                )
                with gr.Row():
                    self.run, self.stop = run_and_stop("Make", "make", "stop")
                self.quoted = gr.HTML("", elem_id="quoted")
                self.agree = gr.Button("Agree and make it", variant="primary", elem_id="agree", visible=False)
                gr.Examples(EXAMPLES, self.prompt, label="Try one", elem_id="examples")
                with gr.Accordion("Lift a picture of yours", open=False, elem_id="picture-box") as self.picture_box:
                    gr.HTML(f'<div class="pg-quiet">{HINT}</div>')
                    self.source = gr.Image(
                        label="Your picture",
                        type="filepath",  # opened under our own limits
                        image_mode=None,
                        height=220,
                        sources=["upload", "clipboard"],
                        elem_id="source",
                    )
                    self.views = ViewsPanel(engine, picked)
                self.restoring = solid_restore()
            with gr.Column(scale=6, min_width=300):
                self.solid = gr.Model3D(
                    label="Drag to turn, scroll to come nearer",
                    interactive=False,
                    height=400,
                    elem_id="solid",
                    clear_color=(0, 0, 0, 0),
                )
                self.metrics = gr.HTML(receipt_view.metrics(None), elem_id="metrics")
                self.told = gr.HTML("", elem_id="told")
                with gr.Row():
                    self.preview = gr.Image(
                        label="Made from", interactive=False, height=170, min_width=140, elem_id="preview", buttons=[]
                    )
                    self.saving = SavePanel()
                self.sharing = ShareRow(self.restoring.name)
                self.receipt_box, self.receipt = receipt_box()

    @property
    def outputs(self) -> list[Any]:
        """What a run changes, in the order that `_screen` gives it."""
        shown = [self.preview, self.metrics, self.told, self.receipt_box, self.receipt]
        return [*shown, self.made, self.saving.file, self.run, self.stop, self.quoted, self.agree]

    def wire(self, picker: list[Any], settings: list[Any], keys: Any, owner: Owner) -> None:
        """Connect the events. `owner`: who finds again what hosted engines make."""
        self._owner_of = owner.of
        self.restoring.wire(self.prompt, picker[0], settings)
        self.saving.wire(self.made, self.solid, self.told)
        inputs = [
            self.prompt,
            self.source,
            self.saving.material,
            keys,
            owner.token,
            *picker,
            *self.views.inputs,
            *settings,
        ]
        for event, agreed in ((self.run.click, False), (self.prompt.submit, False), (self.agree.click, True)):
            ran = event(self._followed(agreed), inputs, self.outputs, concurrency_limit=None, **_PRIVATE)
            # By itself, since the viewer shows nothing where it is told of one file twice, as a run's last telling is.
            ran.then(lambda made: made.path if made else gr.skip(), self.made, self.solid, **_PRIVATE)
            event(None, None, None, js=SHOW, **_PRIVATE)
        self.stop.click(stopper(self._runs), None, None, queue=False, **_PRIVATE)

    def _followed(self, agreed: bool) -> Any:
        def follow(request: gr.Request, *values: Any) -> Iterator[list[Any]]:  # Gradio hands over the first by its type
            yield from self.follow(request, agreed, *values)

        return follow

    def follow(
        self,
        request: gr.Request,
        agreed: bool,
        prompt: str,
        source: str | None,
        material: str,
        keys: Any,
        token: Any,
        model: str,
        mode: str,
        variant: str | None,
        *values: Any,
    ) -> Iterator[list[Any]]:
        """Make the solid; the screen is told four times a second how far it is. What costs something is told first, and
        made once it is `agreed` to."""
        try:
            settings, picked = with_keys(self._engine.settings, keys), Picked(model, mode, variant)
            count = len(views_panel.NAMES)
            views, values = values[:count], values[count:]
            asked = asked_for(self._engine, picked, settings, prompt, source, values, views)
            where: dict[str, Any] = {"mode": Mode(mode), "variant": variant or None, "settings": settings}
            if not agreed and (quoted := self._engine.quote(model, asked, **where)).asks:
                yield [*[gr.skip()] * (len(self.outputs) - 2), note(quoted.words), gr.update(visible=True)]
                return
            with self._runs.running(request.session_hash or "local") as (cancel,):
                events = self._engine.generate(model, asked, cancel=cancel, owner=self._owner_of(token), **where)
                for making in makings(gated(events, asked, settings, cancel)):
                    yield self._screen(making, asked, settings, material)
        except InferenceError as error:
            yield self._screen(Making(error=error), None, self._engine.settings, material)

    def _screen(self, making: Making, asked: SolidRequest | None, settings: Settings, material: str) -> list[Any]:
        ended, receipt = making.done, making.receipt
        told = note(str(making.error), "pg-error") if making.error else ""
        table = box = made = file = gr.skip()
        output = making.output
        if receipt is not None and asked is not None and output is not None and output.solid is not None:
            finished = finish(output, receipt, asked, settings)
            receipt, made = finished.receipt, Made(finished, output, write(finished, "glb", material))
            told, file = note(finished.words, "pg-warn"), gr.update(visible=False)
        if receipt is not None:
            table, box = receipt_view.table(receipt), gr.update(visible=True)
            if making.finish_reason == "stopped":
                told += note("Stopped by you. There is a solid only at the end.")
        preview = gr.skip() if making.preview is None else making.preview
        line = receipt_view.metrics(receipt, making.status)
        buttons = [gr.update(visible=ended), gr.update(visible=not ended)]
        return [preview, line, told, box, table, made, file, *buttons, "", gr.update(visible=False)]


def asked_for(
    engine: Engine,
    picked: Picked,
    settings: Settings,
    prompt: str,
    source: str | None,
    values: Sequence[Any],
    views: Sequence[str | None] = (),
) -> SolidRequest:
    """The request that the controls make, with the settings that the engine follows. `views`: pictures of other sides.

    Raises `InvalidRequest`.
    """
    if not picked.model:
        raise InvalidRequest("Choose a model first.")
    found = following(engine, Task.TEXT_TO_3D, picked, settings)
    # Where a picture is given nothing is drawn, and the sliders of drawing say nothing.
    drawing = {"num_inference_steps", "guidance_scale"} if source and found and found.capabilities.images else set()
    followed = [name for name in NAMES if name not in drawing and (found is None or found.reason(name) is None)]
    image = to_part(open_picture(source)) if source else None
    looked = {name: found is None or found.reason(name) is None for name in views_panel.NAMES}
    sides = views_panel.read(views, looked) if views else {}
    return SolidRequest(prompt=prompt or "", image=image, **sides, **to_request(values, followed))
