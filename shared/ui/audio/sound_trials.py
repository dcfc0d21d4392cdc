"""Sounds side by side."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import Any

from shared.audio.finishing import finish
from shared.audio.spoken import Spoken, speeches
from shared.data_urls import data_url
from shared.requests import SoundRequest
from shared.settings import Settings
from shared.streaming import Emitter
from shared.tasks import Task
from shared.ui import receipt_view
from shared.ui.audio.compare_view import Row
from shared.ui.audio.sound_settings import to_request
from shared.ui.audio.trials_panel import Kind


def _ask(prompt: str, *values: Any) -> SoundRequest:
    return SoundRequest(prompt=prompt, **to_request(values))


def heard(row: Row, made: Spoken, asked: SoundRequest, settings: Settings, emit: Emitter) -> Row:
    """A finished sound's row: itself, and its figures."""
    problem = f'<div class="pg-note pg-error">{escape(str(made.error))}</div>' if made.error else ""
    if made.receipt is None or made.sound is None or not made.sound.pcm:
        return replace(row, status="", problem=problem)
    finished = finish(made.sound, made.receipt, asked, "mp3")
    audio = f'<audio controls preload="metadata" src="{data_url(finished.data, finished.kind.media_type)}"></audio>'
    told = receipt_view.metrics(finished.receipt)
    return replace(row, status="", problem=problem, sound=audio, seconds=made.sound.seconds, figures=told)


NOISES = Kind(
    name="noises",
    task=Task.TEXT_TO_SOUND,
    ask=_ask,
    growing=speeches,
    made=Spoken,
    picture=lambda made: "",
    heard=heard,
)
