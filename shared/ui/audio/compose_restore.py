"""A dropped composition's settings, put back on the screen."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from shared.errors import InferenceError
from shared.media.sound.restoring import MAX_BYTES
from shared.music.restoring import RestoredMusic, restore
from shared.ui.audio.compose_settings import NAMES, SLIDERS

ENDINGS = [".mid", ".musicxml", ".wav", ".flac", ".mp3", ".ogg", ".json"]


class ComposeRestore:
    """The place to drop a file, folded away until it is wanted."""

    def __init__(self) -> None:
        with gr.Accordion("Restore settings from a file", open=False, elem_id="compose-restore-box"):
            self.file = gr.File(
                label="Music made here: MIDI, MusicXML, WAV, FLAC, MP3, Ogg",
                file_types=ENDINGS,
                height=120,
                elem_id="compose-restore",
            )
            self.told = gr.HTML("", elem_id="compose-restore-told")

    def wire(self, prompt: Any, model: Any, settings: list[Any]) -> None:
        """Connect the event: a file that was dropped sets the prompt, the model and the settings."""
        outputs = [self.told, prompt, model, *settings]
        self.file.upload(_restored, self.file, outputs, api_visibility="private", show_progress="hidden")


def _restored(path: str) -> list[Any]:
    unchanged = [gr.skip() for _ in range(2 + len(NAMES))]
    try:
        file = Path(path)
        if file.stat().st_size > MAX_BYTES:
            return [_told("The file is too large. Drop it as it was saved.", "pg-error"), *unchanged]
        found = restore(file.read_bytes())
    except InferenceError as error:
        return [_told(str(error), "pg-error"), *unchanged]
    left = f" Left out: {'; '.join(found.ignored)}." if found.ignored else ""
    return [_told(f"Restored from music made here.{left}"), found.prompt, found.model or gr.skip(), *_values(found)]


def _values(found: RestoredMusic) -> list[Any]:
    """What each control gets, in the order of `NAMES`."""
    known = {name: getattr(found, name) for name in NAMES}
    for name, value in known.items():
        if name in SLIDERS:
            known[name] = SLIDERS[name][4] if value is None else value
        else:
            known[name] = "" if value is None else value if isinstance(value, str) else f"{value:.15g}"
    return list(known.values())


def _told(words: str, kind: str = "") -> str:
    return f'<div class="pg-note {kind}" role="status">{escape(words)}</div>'
