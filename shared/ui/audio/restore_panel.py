"""A dropped sound's settings, put back on the screen."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from shared.errors import InferenceError
from shared.media.sound.restoring import MAX_BYTES, RestoredSpeech, restore
from shared.ui.audio.settings_panel import NAMES, SLIDERS, write_speakers


class RestorePanel:
    """The place to drop a sound, folded away until it is wanted."""

    def __init__(self) -> None:
        with gr.Accordion("Restore settings from a sound", open=False, elem_id="restore-box"):
            self.file = gr.File(
                label="A sound made here: WAV, FLAC, MP3, Ogg",
                file_types=[".wav", ".flac", ".mp3", ".ogg", ".json"],
                height=120,
                elem_id="restore",
            )
            self.told = gr.HTML("", elem_id="restore-told")

    def wire(self, text: Any, model: Any, settings: list[Any]) -> None:
        """Connect the event: a sound that was dropped sets the text, the model and the settings."""
        outputs = [self.told, text, model, *settings]
        self.file.upload(_restored, self.file, outputs, api_visibility="private", show_progress="hidden")


def _restored(path: str) -> list[Any]:
    unchanged = [gr.skip() for _ in range(2 + len(NAMES))]
    try:
        file = Path(path)
        if file.stat().st_size > MAX_BYTES:
            return [_told("The file is too large. Drop the sound as it was saved.", "pg-error"), *unchanged]
        found = restore(file.read_bytes())
    except InferenceError as error:
        return [_told(str(error), "pg-error"), *unchanged]
    left = f" Left out: {'; '.join(found.ignored)}." if found.ignored else ""
    return [_told(f"Restored from a sound made here.{left}"), found.text, found.model or gr.skip(), *_values(found)]


def _values(found: RestoredSpeech) -> list[Any]:
    """What each control gets, in the order of `NAMES`."""
    known: dict[str, Any] = {"speakers": write_speakers(found.speakers)}
    for name, row in SLIDERS.items():
        known[name] = row[4] if getattr(found, name) is None else getattr(found, name)
    for name in NAMES:
        value = known.setdefault(name, getattr(found, name, None))
        if name not in SLIDERS and name != "speakers":
            known[name] = "" if value is None else str(value)
    return [known[name] for name in NAMES]


def _told(words: str, kind: str = "") -> str:
    return f'<div class="pg-note {kind}" role="status">{escape(words)}</div>'
