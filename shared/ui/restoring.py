"""The place to drop a file that was made here, whose settings are then put back on the screen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from shared.errors import InferenceError
from shared.media.sound.restoring import MAX_BYTES

SOUNDS = (".wav", ".flac", ".mp3", ".ogg")


@dataclass(frozen=True)
class Restored:
    """What a file said: the words, the model ("" where it names none), a value for each control, what was left out."""

    words: str
    model: str
    values: list[Any]
    ignored: tuple[str, ...]


Read = Callable[[bytes], Restored]


class RestoreBox:
    """The components, folded away until they are wanted. `name` begins their ids; `read` raises `InvalidRequest`."""

    def __init__(self, name: str, what: str, label: str, endings: tuple[str, ...], read: Read) -> None:
        self._what, self._read = what, read
        with gr.Accordion(f"Restore settings from {what}", open=False, elem_id=f"{name}-box"):
            self.file = gr.File(label=label, file_types=[*endings, ".json"], height=120, elem_id=name)
            self.told = gr.HTML("", elem_id=f"{name}-told")

    def wire(self, words: Any, model: Any, settings: list[Any]) -> None:
        """Connect the event: a file that was dropped sets the words, the model and the settings."""
        outputs = [self.told, words, model, *settings]
        restored = partial(self._restored, len(settings))
        self.file.upload(restored, self.file, outputs, api_visibility="private", show_progress="hidden")

    def _restored(self, count: int, path: str) -> list[Any]:
        unchanged = [gr.skip() for _ in range(2 + count)]
        try:
            file = Path(path)
            if file.stat().st_size > MAX_BYTES:
                return [_told("The file is too large. Drop it as it was saved.", "pg-error"), *unchanged]
            found = self._read(file.read_bytes())
        except InferenceError as error:
            return [_told(str(error), "pg-error"), *unchanged]
        left = f" Left out: {'; '.join(found.ignored)}." if found.ignored else ""
        told = _told(f"Restored from {self._what} made here.{left}")
        return [told, found.words, found.model or gr.skip(), *found.values]


def _told(words: str, kind: str = "") -> str:
    return f'<div class="pg-note {kind}" role="status">{escape(words)}</div>'


def shown(value: Any) -> str:
    """A value as a text box has it."""
    return "" if value is None else value if isinstance(value, str) else f"{value:.15g}"
