"""The Compare tab: one text and seed over engines, side by side or blind, with figures for each."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from html import escape
from typing import Any

import gradio as gr

from shared.audio.comparing import Way, compare
from shared.audio.spoken import Spoken
from shared.engine import Engine
from shared.errors import InferenceError
from shared.requests import SpeechRequest
from shared.settings import Settings
from shared.streaming import CancelToken
from shared.tasks import Task
from shared.ui.audio import listening
from shared.ui.audio.compare_view import Row, Trial, row_of, table
from shared.ui.audio.opinions_panel import OpinionsPanel, asking, keep
from shared.ui.audio.settings_panel import to_request
from shared.ui.audio.ways import read_way, way_name, ways_here
from shared.ui.model_picker import engine_label
from shared.ui.running import run_and_stop, stopper
from shared.ui.sessions import Runs, with_keys

TEXT = "The quick brown fox jumps over the lazy dog, and then it goes home."
_PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


class ComparePanel:
    """The tab's components and events."""

    def __init__(self, engine: Engine, runs: Runs, store: gr.BrowserState) -> None:
        self._engine, self._runs = engine, runs
        self.text = gr.Textbox(label="What to say", value=TEXT, lines=2, max_lines=8, elem_id="compare-text")
        choices = ways_here(engine)
        self.engines = gr.Dropdown(
            choices,
            value=[value for _, value in choices[:2]],
            multiselect=True,
            label="Engines and voices",
            elem_id="compare-engines",
        )
        with gr.Row():
            self.run, self.stop = run_and_stop("Compare", "compare-run", "compare-stop")
            self.blind = gr.Checkbox(False, label="Blind: hide which is which", elem_id="compare-blind", min_width=160)
            self.show = gr.Button("Show which is which", elem_id="compare-show", visible=False, min_width=120)
            self.ears = listening.choices("compare-listener")
        self.told = gr.HTML("", elem_id="compare-told")
        self.table = gr.HTML("", elem_id="compare-table")
        self.trial = gr.State(Trial())
        self.opinions = OpinionsPanel(store, Task.TEXT_TO_SPEECH)

    def wire(self, picker: list[Any], settings: list[Any], keys: Any) -> None:
        """Connect the events."""
        outputs = [self.trial, self.table, self.told, self.run, self.stop, self.show, *self.opinions.outputs]
        inputs = [self.text, self.engines, self.blind, *self.ears, keys, *settings]
        self.run.click(self._compare, inputs, outputs, concurrency_limit=None, **_PRIVATE)
        self.stop.click(stopper(self._runs), None, None, queue=False, **_PRIVATE)
        shown = [self.trial, self.table, self.show, *self.opinions.changed]
        self.show.click(_revealed, [self.trial, *self.opinions.given], shown, queue=False, **_PRIVATE)
        self.opinions.wire(self.trial)

    def _compare(
        self,
        request: gr.Request,  # first, since Gradio hands it over by position only
        text: str,
        engines: list[str],
        blind: bool,
        listener: str,
        rate: bool,
        keys: Any,
        *values: Any,
    ) -> Iterator[list[Any]]:
        trial, told = Trial(text=text or "", blind=blind, hidden=blind), ""
        going = [gr.update(visible=False), gr.update(visible=True), gr.update(visible=False)]
        try:
            asked = SpeechRequest(text=trial.text, **to_request(values))
            ways = [read_way(value) for value in engines or []]
            if blind:
                random.shuffle(ways)
            settings = with_keys(self._engine.settings, keys)
            with self._runs.running(request.session_hash or "local", 1 + len(ways)) as (cancel, *deaf):
                said: list[Spoken] = []
                for now in compare(self._engine, asked, ways, settings=settings, cancel=cancel):
                    trial.rows = self._rows(trial, ways, said, now, asked)
                    said = now
                    yield [trial, table(trial), "", *going, *asking(trial)]
                if (listener or rate) and not cancel.cancelled:
                    for status in _heard(trial, said, asked, listener, rate, settings, deaf):
                        yield [trial, gr.skip(), status, *going, *asking(trial)]
        except InferenceError as error:
            told = f'<div class="pg-note pg-error" role="alert">{escape(str(error))}</div>'
        trial.ended = True
        ended = [gr.update(visible=True), gr.update(visible=False), gr.update(visible=blind and bool(trial.rows))]
        yield [trial, table(trial), told, *ended, *asking(trial)]

    def _rows(
        self, trial: Trial, ways: list[Way], before: list[Spoken], now: list[Spoken], asked: SpeechRequest
    ) -> list[Row]:
        """The rows, made anew where an engine has said more."""
        same = [len(before) > place and before[place] is one for place, one in enumerate(now)]
        return [
            trial.rows[place] if same[place] else row_of(self._name(ways[place]), one, asked)
            for place, one in enumerate(now)
        ]

    def _name(self, way: Way) -> str:
        spec = self._engine.find(way.model, task=Task.TEXT_TO_SPEECH)
        labels = [engine_label(c) for c in self._engine.choices_for(spec) if c.variant.key == way.variant]
        return " · ".join(
            [way_name(spec.name, labels[0] if labels else spec.name), *([way.voice] if way.voice else [])]
        )


def _heard(
    trial: Trial,
    said: Sequence[Spoken],
    asked: SpeechRequest,
    listener: str,
    rate: bool,
    settings: Settings,
    cancels: Sequence[CancelToken],
) -> Iterator[str]:
    """Have each heard back in turn, and put into the rows what was heard; says how far it is, as HTML."""
    for place, (spoken, cancel) in enumerate(zip(said, cancels, strict=True)):
        if not listening.can_be_heard(spoken):
            continue
        steps = listening.measured(spoken, asked, listener, rate, settings, cancel)
        try:
            while True:
                status = f"{next(steps)}: {place + 1} of {len(trial.rows)}"
                yield f'<div class="pg-note" role="status">{escape(status)}</div>'
        except StopIteration as ended:
            trial.rows[place] = replace(trial.rows[place], heard=ended.value[1])
        finally:
            steps.close()


def _revealed(trial: Trial, *given: Any) -> list[Any]:
    """The names, once the scores that were given blind are kept."""
    kept = keep(trial, *given)
    trial.hidden = False
    return [trial, table(trial), gr.update(visible=False), *kept[:3], *asking(trial)]
