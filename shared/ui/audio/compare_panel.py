"""The Compare tab: one text and seed over engines, side by side or blind, with figures for each."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import gradio as gr

from shared.audio.comparing import Way, compare
from shared.audio.finishing import finish
from shared.audio.spoken import Spoken
from shared.data_urls import data_url
from shared.engine import Choice, Engine
from shared.errors import InferenceError, InvalidRequest
from shared.requests import SpeechRequest
from shared.settings import Settings
from shared.streaming import CancelToken
from shared.tasks import Task
from shared.ui import receipt_view
from shared.ui.audio import listening
from shared.ui.audio.settings_panel import to_request
from shared.ui.model_picker import engine_label
from shared.ui.sessions import Runs, with_keys

TEXT = "The quick brown fox jumps over the lazy dog, and then it goes home."
SEPARATOR = "\t"  # between a model's id, a variant's key and a voice in a choice's value
_PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


@dataclass(frozen=True)
class _Row:
    """An engine's name, and its cells once there is something to show."""

    name: str
    sound: str = ""
    figures: str = ""
    heard: str = ""


class ComparePanel:
    """The tab's components and events."""

    def __init__(self, engine: Engine, runs: Runs) -> None:
        self._engine, self._runs = engine, runs
        self.text = gr.Textbox(label="What to say", value=TEXT, lines=2, max_lines=8, elem_id="compare-text")
        choices = [
            way for choice in engine.choices(Task.TEXT_TO_SPEECH) if choice.reason is None for way in _ways(choice)
        ]
        self.engines = gr.Dropdown(
            choices,
            value=[value for _, value in choices[:2]],
            multiselect=True,
            label="Engines and voices",
            elem_id="compare-engines",
        )
        with gr.Row():
            self.run = gr.Button("Compare", variant="primary", elem_id="compare-run", min_width=120)
            self.stop = gr.Button("Stop", elem_id="compare-stop", visible=False, min_width=120)
            self.blind = gr.Checkbox(False, label="Blind: hide which is which", elem_id="compare-blind", min_width=160)
            self.show = gr.Button("Show which is which", elem_id="compare-show", visible=False, min_width=120)
            self.listener = listening.choice("compare-listener")
        self.told = gr.HTML("", elem_id="compare-told")
        self.table = gr.HTML("", elem_id="compare-table")
        self.rows = gr.State([])

    def wire(self, picker: list[Any], settings: list[Any], keys: Any) -> None:
        """Connect the events."""
        outputs = [self.table, self.told, self.rows, self.run, self.stop, self.show]
        inputs = [self.text, self.engines, self.blind, self.listener, keys, *settings]
        self.run.click(self._compare, inputs, outputs, concurrency_limit=None, **_PRIVATE)
        self.stop.click(self._stop, None, None, queue=False, **_PRIVATE)
        self.show.click(_revealed, self.rows, [self.table, self.show], queue=False, **_PRIVATE)

    def _compare(
        self,
        request: gr.Request,  # first, since Gradio hands it over by position only
        text: str,
        engines: list[str],
        blind: bool,
        listener: str,
        keys: Any,
        *values: Any,
    ) -> Iterator[list[Any]]:
        rows: list[_Row] = []
        going = [gr.update(visible=False), gr.update(visible=True), gr.update(visible=False)]
        try:
            asked = SpeechRequest(text=text or "", **to_request(values))
            ways = [_read(value) for value in engines or []]
            if blind:
                random.shuffle(ways)
            settings = with_keys(self._engine.settings, keys)
            with self._runs.running(request.session_hash or "local", 1 + len(ways)) as (cancel, *deaf):
                said: list[Spoken] = []
                for said in compare(self._engine, asked, ways, settings=settings, cancel=cancel):
                    rows = [_row(self._name(way), one, asked) for way, one in zip(ways, said, strict=True)]
                    yield [table(rows, hidden=blind), "", rows, *going]
                if listener and not cancel.cancelled:
                    for status in _heard(rows, said, asked, listener, settings, deaf):
                        yield [table(rows, hidden=blind), status, rows, *going]
            told = ""
        except InferenceError as error:
            told = f'<div class="pg-note pg-error" role="alert">{escape(str(error))}</div>'
        ended = [gr.update(visible=True), gr.update(visible=False), gr.update(visible=blind and bool(rows))]
        yield [table(rows, hidden=blind), told, rows, *ended]

    def _name(self, way: Way) -> str:
        spec = self._engine.find(way.model, task=Task.TEXT_TO_SPEECH)
        parts = [engine_label(c) for c in self._engine.choices_for(spec) if c.variant.key == way.variant]
        return " · ".join([spec.name, *parts, *([way.voice] if way.voice else [])])

    def _stop(self, request: gr.Request) -> None:
        self._runs.stop(request.session_hash or "local")


def _ways(choice: Choice) -> list[tuple[str, str]]:
    """The engine with each of its voices, as a label and a choice's value."""
    from shared.backends import get_backend

    name, value = f"{choice.spec.name} · {engine_label(choice)}", [choice.spec.id, choice.variant.key]
    voices = get_backend(choice.variant.backend).capabilities(choice.variant).voices
    if not voices:
        return [(name, SEPARATOR.join(value))]
    return [(f"{name} · {voice.name}", SEPARATOR.join([*value, voice.id])) for voice in voices]


def _read(value: str) -> Way:
    model, key, *voice = value.split(SEPARATOR)
    if not key:
        raise InvalidRequest("Choose engines from the list.")
    return Way(model, key, voice[0] if voice else None)


def _row(name: str, spoken: Spoken, asked: SpeechRequest) -> _Row:
    if spoken.receipt is None or spoken.sound is None or not spoken.sound.pcm:
        told = f'<div class="pg-note pg-error">{escape(str(spoken.error))}</div>' if spoken.error else ""
        return _Row(name, told or f'<span class="pg-quiet">{escape(spoken.status)}</span>')
    finished = finish(spoken.sound, spoken.receipt, asked, "wav")
    url = data_url(finished.data, finished.kind.media_type)
    problem = f'<div class="pg-note pg-error">{escape(str(spoken.error))}</div>' if spoken.error else ""
    return _Row(
        name,
        f'<audio controls preload="metadata" src="{url}"></audio>{problem}',
        receipt_view.metrics(finished.receipt),
    )


def _heard(
    rows: list[_Row],
    said: Sequence[Spoken],
    asked: SpeechRequest,
    listener: str,
    settings: Settings,
    cancels: Sequence[CancelToken],
) -> Iterator[str]:
    """Have each heard back in turn, and put into the rows what was heard; says how far it is, as HTML."""
    for number, (spoken, cancel) in enumerate(zip(said, cancels, strict=True)):
        if spoken.sound is None or spoken.receipt is None or not spoken.sound.pcm:
            continue
        steps = listening.heard_back(spoken.sound, asked, listener, settings, cancel)
        try:
            while True:
                status = f"{next(steps)}: {number + 1} of {len(rows)}"
                yield f'<div class="pg-note" role="status">{escape(status)}</div>'
        except StopIteration as ended:
            rows[number] = replace(rows[number], heard=ended.value[1])
        finally:
            steps.close()


def table(rows: Sequence[_Row], *, hidden: bool) -> str:
    """The engines as an HTML table; hidden, they are called by letters, and what would give them away is left out."""
    body = "".join(
        f"<tr><th>{escape(chr(65 + number) if hidden else row.name)}</th><td>{row.sound}"
        f"{'' if hidden else row.figures}{'' if hidden else row.heard}</td></tr>"
        for number, row in enumerate(rows)
    )
    return f'<div class="pg-scroll"><table class="pg-table">{body}</table></div>'


def _revealed(rows: list[_Row]) -> tuple[str, Any]:
    named = [replace(row, name=f"{chr(65 + number)}: {row.name}") for number, row in enumerate(rows)]
    return table(named, hidden=False), gr.update(visible=False)
