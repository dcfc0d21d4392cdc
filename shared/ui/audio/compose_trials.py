"""Compositions side by side."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import Any

from shared.data_urls import data_url
from shared.errors import Cancelled, InferenceError
from shared.media.sound.files import kind_of
from shared.media.sound.labelling import label
from shared.music.composed import Composition, compositions
from shared.music.finishing import measured, played
from shared.requests import MusicRequest
from shared.settings import Settings
from shared.streaming import Emitter
from shared.tasks import Task
from shared.ui import receipt_view
from shared.ui.audio.compare_view import Row
from shared.ui.audio.compose_beginning import read_beginning, read_recording
from shared.ui.audio.compose_settings import to_request
from shared.ui.audio.compose_view import drawn_roll, figures
from shared.ui.audio.trials_panel import Kind

KIND = "mp3"  # the page holds the sounds of all: a tenth of WAV's size


def _ask(prompt: str, tune: str | None, kept: str, clip: str | None, how: str, *values: Any) -> MusicRequest:
    begun = {"beginning": read_beginning(tune, kept), **read_recording(clip, how)}
    return MusicRequest(prompt=prompt, **begun, **to_request(values))


def heard(row: Row, made: Composition, asked: MusicRequest, settings: Settings, emit: Emitter) -> Row:
    """A finished composition's row: what there is of it to hear, and its figures."""
    problem = f'<div class="pg-note pg-error">{escape(str(made.error))}</div>' if made.error else ""
    if made.receipt is None:
        return replace(row, status="", problem=problem)
    receipt, audio, seconds = measured(made), "", 0.0
    try:
        sound, receipt = played(made, receipt, settings, emit.check)
        if sound is not None:
            url = data_url(label(sound, KIND, receipt, asked), kind_of(KIND).media_type)
            audio, seconds = f'<audio controls preload="metadata" src="{url}"></audio>', sound.seconds
    except InferenceError as error:
        problem += f'<div class="pg-note pg-warn">{escape(str(error))}</div>'
    except Cancelled:
        problem += '<div class="pg-quiet">Stopped before it was played.</div>'
    told = f"{figures(receipt)}{receipt_view.metrics(receipt)}"
    return replace(row, status="", problem=problem, sound=audio, seconds=seconds, figures=told)


TUNES = Kind(
    name="tunes",
    task=Task.TEXT_TO_AUDIO,
    ask=_ask,
    growing=compositions,
    made=Composition,
    picture=drawn_roll,
    heard=heard,
    seeds=2,
)
