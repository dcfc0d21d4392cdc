"""Compositions side by side: one prompt, over engines and over seeds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from html import escape
from typing import Any

import gradio as gr

from shared.data_urls import data_url
from shared.engine import Engine
from shared.errors import Cancelled, InferenceError
from shared.media.sound.files import kind_of
from shared.media.sound.labelling import label
from shared.music.comparing import Way, compare, ways
from shared.music.composed import Composition
from shared.music.finishing import measured, played
from shared.requests import MusicRequest
from shared.settings import Settings
from shared.streaming import CancelToken, Emitter
from shared.tasks import Task
from shared.ui import receipt_view
from shared.ui.audio.compose_beginning import read_beginning, read_recording
from shared.ui.audio.compose_settings import to_request
from shared.ui.audio.compose_view import drawn_roll, figures
from shared.ui.model_picker import engine_label
from shared.ui.running import RunRow, Shown
from shared.ui.sessions import Runs, with_keys

SEPARATOR = "\t"  # between a model's id and a variant's key in a choice's value
SEEDS = [("one", 1), ("two", 2), ("three", 3), ("four", 4)]
KIND = "mp3"  # the page holds the sounds of all: a tenth of WAV's size


class ComposeCompare:
    """The part's components and events, folded away until it is wanted."""

    def __init__(self, engine: Engine, runs: Runs) -> None:
        self._engine, self._runs = engine, runs
        choices = [
            (f"{c.spec.name} · {engine_label(c)}", SEPARATOR.join([c.spec.id, c.variant.key]))
            for c in engine.choices(Task.TEXT_TO_AUDIO)
            if c.reason is None
        ]
        with gr.Accordion("Compare: the same prompt, other seeds or engines", open=False, elem_id="tunes-box"):
            with gr.Row():
                self.engines = gr.Dropdown(
                    choices,
                    value=[value for _, value in choices[:1]],
                    multiselect=True,
                    label="Engines",
                    elem_id="tunes-engines",
                    scale=2,
                    min_width=200,
                )
                self.seeds = gr.Radio(SEEDS, value=2, label="Seeds for each", elem_id="tunes-seeds", min_width=200)
            self.row = RunRow("Compare", "tunes")
            self.table = gr.HTML("", elem_id="tunes-table")

    def wire(self, prompt: Any, beginning: list[Any], settings: list[Any], keys: Any) -> None:
        """Connect the events."""
        inputs = [prompt, self.engines, self.seeds, *beginning, keys, *settings]
        self.row.wire(self._runs, self._compare, inputs, [self.table])

    def _compare(
        self,
        cancel: CancelToken,
        prompt: str,
        engines: list[str],
        seeds: int,
        tune: str | None,
        kept: str,
        clip: str | None,
        how: str,
        keys: Any,
        *values: Any,
    ) -> Iterator[Shown]:
        given = to_request(values)
        asked = MusicRequest(
            prompt=prompt or "", beginning=read_beginning(tune, kept), **read_recording(clip, how), **given
        )
        chosen = [(model, key) for model, _, key in (value.partition(SEPARATOR) for value in engines or [])]
        wanted = ways(chosen, given.get("seed"), int(seeds))
        settings = with_keys(self._engine.settings, keys)
        names = [self._name(way) for way in wanted]
        finished: dict[int, str] = {}
        for made in compare(self._engine, asked, wanted, settings=settings, cancel=cancel):
            for number, one in enumerate(made):
                if one.done and number not in finished:
                    yield Shown([table(names, made, finished)], status=f"Making the sound of {names[number]}")
                    stopped = Emitter(lambda event: None, cancel)
                    finished[number] = heard(one, replace(asked, seed=wanted[number].seed), settings, stopped)
            yield Shown([table(names, made, finished)])

    def _name(self, way: Way) -> str:
        spec = self._engine.find(way.model, task=Task.TEXT_TO_AUDIO)
        engines = [engine_label(c) for c in self._engine.choices_for(spec) if c.variant.key == way.variant]
        return " · ".join([spec.name, *engines, f"seed {way.seed}"])


def heard(made: Composition, asked: MusicRequest, settings: Settings, emit: Emitter) -> str:
    """What there is of a finished composition to hear, and its figures, as HTML."""
    problem = f'<div class="pg-note pg-error">{escape(str(made.error))}</div>' if made.error else ""
    if made.receipt is None:
        return problem
    receipt = measured(made)
    audio = ""
    try:
        sound, receipt = played(made, receipt, settings, emit.check)
        if sound is not None:
            url = data_url(label(sound, KIND, receipt, asked), kind_of(KIND).media_type)
            audio = f'<audio controls preload="metadata" src="{url}"></audio>'
    except InferenceError as error:
        problem += f'<div class="pg-note pg-warn">{escape(str(error))}</div>'
    except Cancelled:
        problem += '<div class="pg-quiet">Stopped before it was played.</div>'
    return f"{audio}{problem}{figures(receipt)}{receipt_view.metrics(receipt)}"


def table(names: Sequence[str], made: Sequence[Composition], finished: dict[int, str]) -> str:
    """The compositions beside each other as HTML: name, roll, and once it is finished what is heard and measured."""
    cells = "".join(
        f'<section class="pg-tune"><h4>{escape(name)}</h4>{drawn_roll(one)}'
        f"{finished.get(number) or _status(one)}</section>"
        for number, (name, one) in enumerate(zip(names, made, strict=True))
    )
    return f'<div class="pg-tunes">{cells}</div>'


def _status(made: Composition) -> str:
    return f'<div class="pg-quiet">{escape(made.status)}</div>'
