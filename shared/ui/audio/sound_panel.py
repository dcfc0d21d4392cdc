"""The Sounds tab: what is to be heard in words, a sound out, and a file of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from shared.audio.spoken import Spoken
from shared.engine import Engine
from shared.media.sound.files import KINDS
from shared.requests import SoundRequest
from shared.ui import receipt_view
from shared.ui.audio.files import kept
from shared.ui.audio.followed import followed
from shared.ui.audio.made_sound import made_sound
from shared.ui.audio.sound_restore import sound_restore
from shared.ui.audio.sound_settings import NAMES, to_request
from shared.ui.audio.sound_trials import NOISES
from shared.ui.audio.trials_panel import TrialsPanel
from shared.ui.jobs_panel import Owner
from shared.ui.model_picker import Picked
from shared.ui.receipt_box import receipt_box
from shared.ui.running import PRIVATE, note, run_and_stop, stopper
from shared.ui.sessions import Runs
from shared.ui.sharing import ShareRow

EXAMPLES = [
    "Rain on a tin roof, distant thunder",
    "Footsteps on gravel, coming nearer",
    "A wooden door creaks open",
    "A busy street market in the morning",
]
HINT = (
    "No model this small makes sounds, so none comes along. What works: a model that runs here (a download of some "
    "gigabytes at its first use, seconds on a GPU, minutes on a processor), or a hosted engine with your key."
)


class SoundPanel:
    """The tab's components; `wire` connects them once the controls beside them exist."""

    def __init__(self, engine: Engine, runs: Runs, store: gr.BrowserState) -> None:
        self._engine, self._runs = engine, runs
        gr.HTML(f'<div class="pg-quiet">{HINT}</div>')
        self.prompt = gr.Textbox(
            label="What is to be heard", value=EXAMPLES[0], lines=2, max_lines=6, elem_id="sounds-prompt"
        )
        with gr.Row():
            self.run, self.stop = run_and_stop("Make it", "sounds-run", "sounds-stop")
        gr.Examples(EXAMPLES, self.prompt, label="Try one", elem_id="sounds-examples")
        self.restoring = sound_restore()
        self.metrics = gr.HTML(receipt_view.metrics(None), elem_id="sounds-metrics")
        self.told = gr.HTML("", elem_id="sounds-told")
        self.sound = made_sound(label="The sound", name="sounds-sound")
        kinds = [(kind.label, name) for name, kind in KINDS.items()]
        self.kind = gr.Dropdown(kinds, value="wav", label="File", elem_id="sounds-kind")
        self.sharing = ShareRow(self.restoring.name)
        self.receipt_box, self.receipt = receipt_box("sounds-")
        self.comparing = TrialsPanel(engine, runs, store, NOISES)

    @property
    def outputs(self) -> list[Any]:
        """What a run changes, in the order that `_screen` gives it."""
        return [self.metrics, self.told, self.sound, self.receipt_box, self.receipt, self.run, self.stop]

    def wire(self, picker: list[Any], settings: list[Any], keys: Any, owner: Owner) -> None:
        """Connect the events. `owner`: who finds again what hosted engines make."""
        self._owner_of = owner.of
        self.restoring.wire(self.prompt, picker[0], settings)
        self.comparing.wire(self.prompt, settings, keys, owner)
        inputs = [self.prompt, self.kind, keys, owner.token, *picker, *settings]
        for event in (self.run.click, self.prompt.submit):
            event(self.follow, inputs, self.outputs, concurrency_limit=None, **PRIVATE)
        self.stop.click(stopper(self._runs), None, None, queue=False, **PRIVATE)

    def follow(
        self,
        request: gr.Request,  # first, since Gradio hands it over by position only
        prompt: str,
        kind: str,
        keys: Any,
        token: Any,
        model: str,
        mode: str,
        variant: str | None,
        *values: Any,
    ) -> Iterator[list[Any]]:
        """Make the sound; the screen is told four times a second how far it is."""

        def ask() -> SoundRequest:
            return SoundRequest(prompt=prompt or "", **to_request(values[: len(NAMES)]))

        picked, owner = Picked(model, mode, variant), self._owner_of(token)
        for made, asked in followed(self._engine, self._runs, request, keys, picked, ask, owner=owner):
            yield self._screen(made, asked, kind)

    def _screen(self, made: Spoken, asked: SoundRequest | None, kind: str) -> list[Any]:
        ended, receipt = made.done, made.receipt
        told = note(str(made.error), "pg-error") if made.error else ""
        sound = table = box = gr.skip()
        if receipt is not None and asked is not None and made.sound is not None and made.sound.pcm:
            paths, receipt, problem = kept(made.sound, receipt, asked, kind)
            told += problem
            if paths:
                sound = gr.update(value=paths[0], visible=True)
        if receipt is not None:
            table, box = receipt_view.table(receipt), gr.update(visible=True)
            if made.finish_reason == "stopped":
                told += note("Stopped by you. A sound is there only at its end.")
        line = receipt_view.metrics(receipt, made.status)
        return [line, told, sound, box, table, gr.update(visible=ended), gr.update(visible=not ended)]
