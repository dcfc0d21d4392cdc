"""The Speak tab: a text in, speech out that is heard and drawn while it is made, and files to keep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle
from typing import Any

import gradio as gr

from shared.audio.finishing import measures
from shared.audio.script import names_in
from shared.audio.spoken import Spoken
from shared.engine import Engine
from shared.errors import InvalidRequest
from shared.media.sound.files import KINDS
from shared.requests import Reference, SpeechRequest
from shared.tasks import Task
from shared.ui import receipt_view
from shared.ui.audio import listening, player
from shared.ui.audio.clone_panel import ClonePanel
from shared.ui.audio.files import kept
from shared.ui.audio.followed import followed
from shared.ui.audio.hearing import Hearing
from shared.ui.audio.inside_panel import InsidePanel, drawn
from shared.ui.audio.made_sound import made_sound
from shared.ui.audio.settings_panel import NAMES, read_speakers, to_request, write_speakers
from shared.ui.audio.speak_restore import speak_restore
from shared.ui.following import following
from shared.ui.model_picker import Picked
from shared.ui.receipt_box import receipt_box
from shared.ui.running import PRIVATE, note, run_and_stop, stopper
from shared.ui.sessions import Runs, with_keys
from shared.ui.sharing import ShareRow

EXAMPLES = [
    "Hello! This voice was made on your own machine, faster than you can listen.",
    "The Dr. lives at 221B Baker St. On 3/4/2025 at 7:30 pm he paid $9.99 for 5 km of string.",
    "Ann: Have you heard the news?\nBen: No. What happened?\nAnn: They found a lark in the library!",
]


class SpeakPanel:
    """The tab's components; `wire` connects them once the controls beside them exist."""

    def __init__(self, engine: Engine, runs: Runs) -> None:
        self._engine, self._runs, self._hearing = engine, runs, Hearing()
        self._run_name = gr.Textbox(visible=False)
        with gr.Row(equal_height=False):
            with gr.Column(scale=5, min_width=300):
                self.text = gr.Textbox(
                    label="What to say", value=EXAMPLES[0], lines=6, max_lines=20, elem_id="text", autofocus=True
                )
                with gr.Row():
                    self.run, self.stop = run_and_stop("Speak", "speak", "stop")
                    self.cast = gr.Button("Give the speakers voices", size="sm", elem_id="cast", min_width=120)
                gr.Examples(EXAMPLES, self.text, label="Try one", elem_id="examples")
                self.cloning = ClonePanel(engine, runs)
                self.restoring = speak_restore()
            with gr.Column(scale=6, min_width=300):
                player.build(self._hearing, "player")
                self.metrics = gr.HTML(receipt_view.metrics(None), elem_id="metrics")
                self.told = gr.HTML("", elem_id="told")
                self.heard = gr.HTML("", elem_id="heard")
                self.sound = made_sound(label="The whole, to hear again", name="sound")
                with gr.Row(equal_height=False):
                    kinds = [(kind.label, name) for name, kind in KINDS.items()]
                    self.kind = gr.Dropdown(kinds, value="wav", label="File", elem_id="file-kind", min_width=110)
                    self.ears = listening.choices("listener")
                self.unheard = gr.State(None)  # what was just spoken, for a listener
                self.files = gr.File(label="Files: the sound, subtitles", visible=False, elem_id="files", height=120)
                self.inside = InsidePanel("speak")
                self.sharing = ShareRow(self.restoring.name)
                self.receipt_box, self.receipt = receipt_box()

    @property
    def outputs(self) -> list[Any]:
        """What a speech changes, in the order that `_screen` gives it."""
        shown = [self.metrics, self.told, self.heard, self.sound, self.files, self.receipt_box, self.receipt]
        return [*shown, self.inside.shown, self.run, self.stop]

    def wire(self, picker: list[Any], settings: list[Any], keys: Any) -> None:
        """Connect the events."""
        self.restoring.wire(self.text, picker[0], settings)
        inputs = [self._run_name, self.text, self.kind, *self.ears, self.cloning.reference, keys, *picker, *settings]
        for event in (self.run.click, self.text.submit):
            spoken = event(
                self.follow, inputs, [*self.outputs, self.unheard], js=player.BEGIN, concurrency_limit=None, **PRIVATE
            )
            heard = [self.metrics, self.heard, self.receipt, self.run, self.stop, self.unheard]
            spoken.then(self.hear_back, [self.unheard, *self.ears, keys], heard, concurrency_limit=None, **PRIVATE)
        self.stop.click(stopper(self._runs), None, None, js=player.STOP, queue=False, **PRIVATE)
        speakers = settings[NAMES.index("speakers")]
        self.cast.click(self._cast, [self.text, speakers, keys, *picker], [speakers, self.told], queue=False, **PRIVATE)

    def follow(
        self,
        request: gr.Request,  # first, since Gradio hands it over by position only
        run: str,
        text: str,
        kind: str,
        listener: str,
        rate: bool,
        reference: Reference | None,
        keys: Any,
        model: str,
        mode: str,
        variant: str | None,
        *values: Any,
    ) -> Iterator[list[Any]]:
        """Speak: each piece of sound goes to the page's player at once, and the screen is told four times a second."""

        def ask() -> SpeechRequest:
            return SpeechRequest(text=text or "", reference=reference, **to_request(values[: len(NAMES)]))

        picked = Picked(model, mode, variant)
        with self._hearing.open(run) as hear:
            for spoken, asked in followed(self._engine, self._runs, request, keys, picked, ask, hear):
                whole = spoken.sound and spoken.sound.pcm and spoken.finish_reason == "stop"
                yield [*self._screen(spoken, asked, kind), (spoken, asked) if (listener or rate) and whole else None]

    def hear_back(
        self,
        request: gr.Request,
        unheard: tuple[Spoken, SpeechRequest] | None,
        listener: str,
        rate: bool,
        keys: Any,
    ) -> Iterator[list[Any]]:
        """What a listener makes of what was just spoken, and how it is rated; figures go into its receipt.

        An event of its own: of two answers of one event that come fast the page shows the newer alone.
        """
        ready = [gr.update(visible=True), gr.update(visible=False), None]
        if unheard is None:
            yield [gr.skip()] * 6
            return
        spoken, asked = unheard
        assert spoken.sound is not None and spoken.receipt is not None
        settings = with_keys(self._engine.settings, keys)
        with self._runs.running(request.session_hash or "local") as (cancel,):
            steps = listening.measured(spoken, asked, listener, rate, settings, cancel)
            try:
                while True:
                    status = note(next(steps))
                    yield [gr.skip(), status, gr.skip(), gr.update(visible=False), gr.update(visible=True), gr.skip()]
            except StopIteration as ended:
                found, words = ended.value
                more = {**measures(spoken.sound), **found}
                receipt = replace(spoken.receipt, extra={**spoken.receipt.extra, **more})
                yield [receipt_view.metrics(receipt), words, receipt_view.table(receipt), *ready]
            finally:
                steps.close()

    def _screen(self, spoken: Spoken, asked: SpeechRequest | None, kind: str) -> list[Any]:
        ended, receipt = spoken.done, spoken.receipt
        told = note(str(spoken.error), "pg-error") if spoken.error else ""
        sound = files = table = box = inside = gr.skip()
        if receipt is not None and asked is not None and spoken.sound is not None and spoken.sound.pcm:
            paths, receipt, problem = kept(spoken.sound, receipt, asked, kind)
            told, inside = told + problem, drawn(spoken.sound)
            if paths:
                sound, files = (gr.update(value=value, visible=True) for value in (paths[0], paths))
        if receipt is not None:
            table, box = receipt_view.table(receipt), gr.update(visible=True)
            if spoken.finish_reason == "stopped":
                told += note("Stopped by you. What was spoken is kept.")
        status = f"{spoken.status} · {spoken.seconds:.1f} s so far" if spoken.seconds else spoken.status
        line = receipt_view.metrics(receipt, status)
        return [
            line,
            told,
            "",
            sound,
            files,
            box,
            table,
            inside,
            gr.update(visible=ended),
            gr.update(visible=not ended),
        ]

    def _cast(self, text: str, speakers: str, keys: Any, model: str, mode: str, variant: str | None) -> tuple[Any, str]:
        """A voice for each name that lines of the text begin with; those that have one keep it."""
        settings = with_keys(self._engine.settings, keys)
        found = following(self._engine, Task.TEXT_TO_SPEECH, Picked(model, mode, variant), settings)
        voices = [voice.id for voice in found.capabilities.voices] if found else []
        names = names_in(text or "")
        if not names or not voices:
            what = "This engine names no voices." if names else "No line begins with a name, as in Ann: Hello."
            return gr.skip(), note(what)
        try:
            given = dict(read_speakers(speakers or ""))
        except InvalidRequest as error:
            return gr.skip(), note(str(error), "pg-error")
        free = cycle([voice for voice in voices if voice not in given.values()] or voices)
        return write_speakers([(name, given.get(name) or next(free)) for name in names]), ""
