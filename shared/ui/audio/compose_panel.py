"""The Compose tab: words in, music out, that is written bar by bar, shown as score and roll, played, and kept."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.errors import Cancelled, InferenceError, InvalidRequest
from shared.media.sound.files import KINDS, kind_of
from shared.media.sound.labelling import label
from shared.media.sound.recoding import recode
from shared.music.composed import Composition, compositions
from shared.music.finishing import measured, notes, played
from shared.requests import MusicRequest
from shared.settings import Settings
from shared.streaming import Emitter
from shared.tasks import Mode, Task
from shared.ui import receipt_view
from shared.ui.audio.compose_beginning import ComposeBeginning, read_beginning
from shared.ui.audio.compose_compare import ComposeCompare
from shared.ui.audio.compose_inside import LIKELIEST, ComposeInside, drawn
from shared.ui.audio.compose_restore import ComposeRestore
from shared.ui.audio.compose_settings import NAMES, to_request
from shared.ui.audio.compose_view import Sheet, drawn_roll, status, told
from shared.ui.audio.files import stem, write
from shared.ui.following import following
from shared.ui.model_picker import Picked
from shared.ui.sessions import Runs, with_keys

EXAMPLES = [
    "A lively jig in G on the whistle, 16 bars",
    "A slow, sad waltz in D minor for the harp",
    "A four-part chorale in F major, 8 bars",
    "A fast reel in A dorian on the fiddle, busy",
]
_PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
_FOLLOWER = Path(__file__).with_name("follower.js")
_SOUND = gr.WaveformOptions(show_recording_waveform=False)


class ComposePanel:
    """The tab's components; `wire` connects them once the controls beside them exist."""

    def __init__(self, engine: Engine, runs: Runs) -> None:
        self._engine, self._runs = engine, runs
        with gr.Row(equal_height=False):
            with gr.Column(scale=5, min_width=300):
                self.prompt = gr.Textbox(
                    label="What to compose", value=EXAMPLES[0], lines=3, max_lines=8, elem_id="compose-prompt"
                )
                with gr.Row():
                    self.run = gr.Button("Compose", variant="primary", elem_id="compose-run", min_width=120)
                    self.stop = gr.Button("Stop", elem_id="compose-stop", visible=False, min_width=120)
                gr.Examples(EXAMPLES, self.prompt, label="Try one", elem_id="compose-examples")
                self.beginning = ComposeBeginning()
                self.restoring = ComposeRestore()
            with gr.Column(scale=6, min_width=300):
                self.metrics = gr.HTML(receipt_view.metrics(None), elem_id="compose-metrics")
                self.note = gr.HTML("", elem_id="compose-note")
                self.sound = gr.Audio(
                    label="The music",
                    type="filepath",
                    interactive=False,
                    elem_id="compose-sound",
                    visible=False,
                    buttons=["download"],
                    waveform_options=_SOUND,
                )
                kinds = [(kind.label, name) for name, kind in KINDS.items()]
                self.kind = gr.Dropdown(kinds, value="wav", label="Sound as", elem_id="compose-kind")
                self.files = gr.File(
                    label="Files: the sound, MIDI, MusicXML",
                    visible=False,
                    interactive=False,
                    elem_id="compose-files",
                    height=215,
                )
                self.kept = gr.State([])  # paths: the sound as WAV, then the notes
        self.facts = gr.HTML("", elem_id="compose-facts")
        self.score = gr.HTML("", elem_id="compose-score")
        script = _FOLLOWER.read_text(encoding="utf-8")
        self.roll = gr.HTML("", elem_id="compose-roll", elem_classes="pg-follows", js_on_load=script)
        self.inside = ComposeInside()
        with gr.Accordion("Receipt", open=False, visible=False, elem_id="compose-receipt-box") as self.receipt_box:
            self.receipt = gr.Markdown(elem_id="compose-receipt")
        self.comparing = ComposeCompare(engine, runs)

    @property
    def outputs(self) -> list[Any]:
        """What a composition changes."""
        shown = [self.metrics, self.note, self.sound, self.files, self.facts, self.score, self.roll, self.inside.shown]
        return [*shown, self.kept, self.receipt_box, self.receipt, self.run, self.stop]

    def wire(self, picker: list[Any], settings: list[Any], keys: Any) -> None:
        """Connect the events."""
        self.restoring.wire(self.prompt, picker[0], settings)
        self.comparing.wire(self.prompt, settings, keys)
        self.beginning.wire()
        inputs = [self.prompt, self.kind, *self.beginning.inputs, keys, *picker, *settings]
        for event in (self.run.click, self.prompt.submit):
            event(self.follow, inputs, self.outputs, concurrency_limit=None, **_PRIVATE)
        self.kind.input(_as_kind, [self.kind, self.kept], [self.files, self.sound, self.note], queue=False, **_PRIVATE)
        self.stop.click(self._stop, None, None, queue=False, **_PRIVATE)

    def follow(
        self,
        request: gr.Request,  # first, since Gradio hands it over by position only
        prompt: str,
        kind: str,
        tune: str | None,
        kept: str,
        keys: Any,
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
                **to_request(values[: len(NAMES)]),
                **self._inside(picked, settings),
            )
            sheet, made = Sheet(), Composition()
            session = request.session_hash or "local"
            with self._runs.running(session) as (cancel,):
                events = self._engine.generate(
                    model, asked, mode=Mode(mode), variant=variant or None, settings=settings, cancel=cancel
                )
                for made in compositions(events):
                    if not made.done:
                        yield self._growing(made, sheet)
            # A switch of its own: who stops the writing hears what there is.
            with self._runs.running(session) as (cancel,):
                yield from self._finished(made, sheet, asked, kind, settings, Emitter(lambda event: None, cancel))
        except InferenceError as error:
            yield {self.metrics: receipt_view.metrics(None), self.note: _note(str(error), "pg-error"), **self._idle}

    def _inside(self, picked: Picked, settings: Settings) -> dict[str, int]:
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
            hidden = gr.update(value=None, visible=False)
            empty = {self.facts: "", self.score: "", self.inside.shown: ""}
            return {**shown, **empty, self.sound: hidden, self.files: hidden, self.kept: []}
        score = sheet.grown(made)
        return shown if score is None else {**shown, self.score: score, self.inside.shown: drawn(made)}

    def _finished(
        self, made: Composition, sheet: Sheet, asked: MusicRequest, kind: str, settings: Settings, emit: Emitter
    ) -> Iterator[dict[Any, Any]]:
        """First the notes, then the sound, which takes longer; each time all, since a page may show the last alone."""
        words = [_note(str(made.error), "pg-error")] if made.error else []
        if made.finish_reason == "stopped":
            words.append(_note("Stopped by you. The whole bars are kept." if made.bar else "Stopped by you."))
        if made.receipt is None:
            yield {self.metrics: status(made), self.note: "".join(words), **self._idle}
            return
        receipt = measured(made)
        shown: dict[Any, Any] = {self.roll: drawn_roll(made), self.facts: told(receipt)}
        shown[self.inside.shown] = drawn(made)
        if made.music and made.music.bars:
            shown[self.score] = sheet.whole(made.music, made.instrument)
        if sheet.problem:
            words.append(_note(sheet.problem, "pg-warn"))
        contents = {f".{ending}": data for ending, data in notes(made, receipt, asked).items()}
        name = stem(asked, receipt)
        paths = write(name, contents)
        shown |= self._shown(paths) | self._receipt(receipt) | {self.note: "".join(words)}
        yield {**shown, self.metrics: status(made, "Making the sound")}
        try:
            heard, receipt = played(made, receipt, settings, emit.check)
            if heard is not None:
                kept = [*write(name, {".wav": label(heard, "wav", receipt, asked)}), *paths]
                files, sound, problem = _as_kind(kind, kept)
                shown |= self._receipt(receipt) | {self.files: files, self.sound: sound, self.kept: kept}
                shown[self.note] += problem
        except InferenceError as error:
            shown[self.note] += _note(str(error), "pg-warn")
        except Cancelled:
            shown[self.note] += _note("Stopped by you before it was played. The notes are kept.")
        yield {**shown, self.metrics: status(made), **self._idle}

    def _shown(self, paths: list[str]) -> dict[Any, Any]:
        return {self.files: gr.update(value=paths or None, visible=bool(paths))}

    def _receipt(self, receipt: Any) -> dict[Any, Any]:
        return {self.receipt: receipt_view.table(receipt), self.receipt_box: gr.update(visible=True)}

    def _stop(self, request: gr.Request) -> None:
        """Stop this visitor's runs; each then ends with its whole bars, and its receipt."""
        self._runs.stop(request.session_hash or "local")


def _as_kind(kind: str, kept: list[str]) -> tuple[Any, Any, str]:
    """What is kept as files for people: the sound as that kind, then the notes; the sound to hear; what went wrong."""
    if not kept:
        return gr.skip(), gr.skip(), ""
    path, problem = Path(kept[0]), ""
    if kind != "wav":
        try:
            path = Path(*write(path.stem, {kind_of(kind).suffix: recode(path.read_bytes(), kind)}))
        except InferenceError as error:
            problem = _note(str(error), "pg-warn")
    files = [str(path), *kept[1:]]
    return gr.update(value=files, visible=True), gr.update(value=str(path), visible=True), problem


def _note(words: str, kind: str = "") -> str:
    role = "alert" if kind == "pg-error" else "status"
    return f'<div class="pg-note {kind}" role="{role}">{escape(words)}</div>'
