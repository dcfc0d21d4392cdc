"""The Compose tab: words in, music out, that is written bar by bar, shown as score and roll, played, and kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.errors import Cancelled, InferenceError, InvalidRequest
from shared.music.composed import Composition, compositions
from shared.music.finishing import measured, played, played_on
from shared.receipts import Receipt
from shared.requests import MusicRequest
from shared.settings import Settings
from shared.streaming import Emitter
from shared.tasks import Mode, Task
from shared.ui import receipt_view
from shared.ui.audio.compose_beginning import ComposeBeginning, read_beginning, read_recording
from shared.ui.audio.compose_inside import LIKELIEST, ComposeInside, drawn
from shared.ui.audio.compose_playing import ComposePlaying, Kept
from shared.ui.audio.compose_restore import compose_restore
from shared.ui.audio.compose_settings import NAMES, to_request
from shared.ui.audio.compose_trials import TUNES
from shared.ui.audio.compose_view import Sheet, drawn_roll, status, told
from shared.ui.audio.trials_panel import TrialsPanel
from shared.ui.following import following
from shared.ui.jobs_panel import Owner
from shared.ui.model_picker import Picked
from shared.ui.receipt_box import receipt_box
from shared.ui.running import PRIVATE, anew, note, run_and_stop, stopper
from shared.ui.sessions import Runs, with_keys
from shared.ui.sharing import ShareRow

EXAMPLES = [
    "A lively jig in G on the whistle, 16 bars",
    "A slow, sad waltz in D minor for the harp",
    "A four-part chorale in F major, 8 bars",
    "A fast reel in A dorian on the fiddle, busy",
]
_FOLLOWER = Path(__file__).with_name("follower.js")


class ComposePanel:
    """The tab's components; `wire` connects them once the controls beside them exist."""

    def __init__(self, engine: Engine, runs: Runs, store: gr.BrowserState) -> None:
        self._engine, self._runs = engine, runs
        with gr.Row(equal_height=False):
            with gr.Column(scale=5, min_width=300):
                self.prompt = gr.Textbox(
                    label="What to compose", value=EXAMPLES[0], lines=3, max_lines=8, elem_id="compose-prompt"
                )
                with gr.Row():
                    self.run, self.stop = run_and_stop("Compose", "compose-run", "compose-stop")
                gr.Examples(EXAMPLES, self.prompt, label="Try one", elem_id="compose-examples")
                self.beginning = ComposeBeginning()
                self.restoring = compose_restore()
            with gr.Column(scale=6, min_width=300):
                self.metrics = gr.HTML(receipt_view.metrics(None), elem_id="compose-metrics")
                self.note = gr.HTML("", elem_id="compose-note")
                self.playing = ComposePlaying()
        self.facts = gr.HTML("", elem_id="compose-facts")
        self.score = gr.HTML("", elem_id="compose-score")
        script = _FOLLOWER.read_text(encoding="utf-8")
        self.roll = gr.HTML("", elem_id="compose-roll", elem_classes="pg-follows", js_on_load=script)
        self.inside = ComposeInside()
        self.sharing = ShareRow(self.restoring.name)
        self.receipt_box, self.receipt = receipt_box("compose-")
        self.comparing = TrialsPanel(engine, runs, store, TUNES)

    @property
    def outputs(self) -> list[Any]:
        """What a composition changes."""
        shown = [self.metrics, self.note, self.facts, self.score, self.roll, self.inside.shown]
        return [*shown, *self.playing.outputs, self.receipt_box, self.receipt, self.run, self.stop]

    def wire(self, picker: list[Any], settings: list[Any], keys: Any, owner: Owner) -> None:
        """Connect the events. `owner`: who finds again what hosted engines make."""
        self._owner_of = owner.of
        self.restoring.wire(self.prompt, picker[0], settings)
        self.comparing.wire(self.prompt, [*self.beginning.inputs, *settings], keys, owner)
        self.beginning.wire()
        inputs = [self.prompt, self.playing.kind, *self.beginning.inputs, keys, owner.token, *picker, *settings]
        for event in (self.run.click, self.prompt.submit):
            event(self.follow, inputs, self.outputs, concurrency_limit=None, **PRIVATE)
        self.playing.wire(self.note)
        again = [self.playing.instrument, self.playing.kept, self.playing.kind, keys]
        self.playing.instrument.input(self._again, again, self.outputs, concurrency_limit=None, **PRIVATE)
        self.stop.click(stopper(self._runs), None, None, queue=False, **PRIVATE)

    def follow(
        self,
        request: gr.Request,  # first, since Gradio hands it over by position only
        prompt: str,
        kind: str,
        tune: str | None,
        kept: str,
        clip: str | None,
        how: str,
        keys: Any,
        token: Any,
        model: str,
        mode: str,
        variant: str | None,
        *values: Any,
    ) -> Iterator[dict[Any, Any]]:
        """Compose: the screen is told four times a second, then of the notes, then of the sound."""
        settings = with_keys(self._engine.settings, keys)
        try:
            if not model:
                raise InvalidRequest("Choose a model first.")
            picked = Picked(model, mode, variant)
            asked = MusicRequest(
                prompt=prompt or "",
                beginning=read_beginning(tune, kept),
                **read_recording(clip, how),
                **to_request(values[: len(NAMES)]),
                **self._inside(picked, settings),
            )
            sheet, made = Sheet(), Composition()
            session = request.session_hash or "local"
            with self._runs.running(session) as (cancel,):
                where: dict[str, Any] = {"mode": Mode(mode), "variant": variant or None, "settings": settings}
                owner = self._owner_of(token)
                events = self._engine.generate(model, asked, cancel=cancel, owner=owner, **where)
                for made in compositions(events):
                    if not made.done:
                        yield self._growing(made, sheet)
            # A switch of its own: who stops the writing hears what there is.
            with self._runs.running(session) as (cancel,):
                yield from self._finished(made, sheet, asked, kind, settings, Emitter(lambda event: None, cancel))
        except InferenceError as error:
            yield {self.metrics: receipt_view.metrics(None), self.note: note(str(error), "pg-error"), **self._idle}

    def _again(
        self,
        request: gr.Request,  # first, since Gradio hands it over by position only
        instrument: str,
        kept: Kept | None,
        kind: str,
        keys: Any,
    ) -> Iterator[dict[Any, Any]]:
        """Play what was written on another instrument."""
        if kept is None:
            return
        with self._runs.running(request.session_hash or "local") as (cancel,):
            yield {self.run: gr.update(visible=False), self.stop: gr.update(visible=True)}
            emit, settings = Emitter(lambda event: None, cancel), with_keys(self._engine.settings, keys)
            yield from self._finished(played_on(kept.made, instrument), Sheet(), kept.asked, kind, settings, emit)

    def _inside(self, picked: Picked, settings: Settings) -> dict[str, Any]:
        """The setting that lets one look inside, where the engine has it."""
        found = following(self._engine, Task.TEXT_TO_AUDIO, picked, settings)
        return {"top_logprobs": LIKELIEST} if found and found.reason("top_logprobs") is None else {}

    @property
    def _idle(self) -> dict[Any, Any]:
        return {self.run: gr.update(visible=True), self.stop: gr.update(visible=False)}

    def _growing(self, made: Composition, sheet: Sheet) -> dict[Any, Any]:
        shown: dict[Any, Any] = {
            self.metrics: status(made),
            self.note: "",
            self.roll: drawn_roll(made),
            self.run: gr.update(visible=False),
            self.stop: gr.update(visible=True),
        }
        if made.music is None:
            empty = {self.facts: "", self.score: "", self.inside.shown: ""}
            return {**shown, **empty, **self.playing.cleared()}
        score = sheet.grown(made)
        return shown if score is None else {**shown, self.score: score, self.inside.shown: drawn(made)}

    def _finished(
        self, made: Composition, sheet: Sheet, asked: MusicRequest, kind: str, settings: Settings, emit: Emitter
    ) -> Iterator[dict[Any, Any]]:
        """First the notes, then the sound, which takes longer; each time all, since a page may show the last alone."""
        words = note(str(made.error), "pg-error") if made.error else ""
        if made.finish_reason == "stopped":
            words += note("Stopped by you. The whole bars are kept." if made.bar else "Stopped by you.")
        if made.receipt is None:
            yield {self.metrics: status(made), self.note: words, **self._idle}
            return
        receipt = measured(made)
        kept, files = self.playing.written(made, receipt, asked)
        shown = {**self._notes(made, sheet), **files, **self._told(receipt)}
        words += note(sheet.problem, "pg-warn")
        first = {output: anew(value) for output, value in shown.items()}
        yield {**first, self.note: words, self.metrics: status(made, "Making the sound")}
        try:
            heard, receipt = played(made, receipt, settings, emit.check)
            if heard is not None:
                problem, files = self.playing.heard(kept, heard, receipt, kind)
                shown, words = {**shown, **files, **self._told(receipt)}, words + problem
        except InferenceError as error:
            words += note(str(error), "pg-warn")
        except Cancelled:
            words += note("Stopped by you before it was played. The notes are kept.")
        yield {**shown, self.note: words, self.metrics: status(made), **self._idle}

    def _notes(self, made: Composition, sheet: Sheet) -> dict[Any, Any]:
        shown = {self.roll: drawn_roll(made), self.inside.shown: drawn(made)}
        if made.music and made.music.bars:
            shown[self.score] = sheet.whole(made.music, made.instrument)
        return shown

    def _told(self, receipt: Receipt) -> dict[Any, Any]:
        table = receipt_view.table(receipt)
        return {self.facts: told(receipt), self.receipt: table, self.receipt_box: gr.update(visible=True)}
