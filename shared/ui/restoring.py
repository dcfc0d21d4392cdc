"""Puts settings back on the screen: from a file that was made here and is dropped, or from a link to the page."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from shared.errors import InferenceError, InvalidRequest
from shared.media.sound.restoring import MAX_BYTES
from shared.sharing import links
from shared.state.shares import Shares

_LINKED = "Restored from a link; nothing runs before you say so."
_WORDLESS = "The settings are back; words aren't kept, so yours stay. Nothing runs before you say so."
SOUNDS = (".wav", ".flac", ".mp3", ".ogg")


@dataclass(frozen=True)
class Restored:
    """What a file said: the words, the model ("" where it names none), a value for each control, what was left out.
    Words that are None stay as they are on the screen.

    `source`: what the file is, where it may be somebody else's.
    """

    words: str | None
    model: str
    values: list[Any]
    ignored: tuple[str, ...]
    source: str = ""


Read = Callable[[bytes], Restored]
Turning = tuple[list[Any], Callable[[], list[Any]]]  # components, and what turns to the place
PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


class RestoreBox:
    """The components, folded away until they are wanted. `name` begins their ids; `read` raises `InvalidRequest`."""

    def __init__(self, name: str, what: str, label: str, endings: tuple[str, ...], read: Read) -> None:
        self.name, self._what, self._read = name, what, read
        with gr.Accordion(f"Restore settings from {what}", open=False, elem_id=f"{name}-box") as self.box:
            self.file = gr.File(label=label, file_types=[*endings, ".json"], height=160, elem_id=name)
            self.told = gr.HTML("", elem_id=f"{name}-told")

    def wire(self, words: Any, model: Any, settings: list[Any]) -> None:
        """Connect the event: a file that was dropped sets the words, the model and the settings."""
        self._model, self._others = model, [words, *settings]
        self.file.upload(self._restored, self.file, [self.told, model, *self._others], **PRIVATE)

    def wire_link(
        self, link: Any, shares: Shares, listed: Callable[[str], bool], turning: Turning, choose: Callable[[Any], Any]
    ) -> None:
        """Connect the events: a `link` in the browser's address does the same, and turns to this box's place.

        `listed`: whether a model may be chosen by a link, which anybody can write. `choose` chains what follows the
        choice of a model: it comes before the settings, since it sets them to the model's own.
        """

        def begun(fragment: str) -> list[Any]:
            turned, values = turning
            unchanged = [gr.skip(), gr.skip(), gr.skip(), *(gr.skip() for _ in turned)]
            try:
                found = self._linked(fragment, shares)
            except InferenceError as error:
                return [gr.update(open=True), _told(str(error), "pg-error"), *unchanged[2:]]
            if found is None:
                return unchanged
            ignored, model = found.ignored, found.model or gr.skip()
            if found.model and not listed(found.model):
                ignored, model = (*ignored, f"the model {found.model[:80]}: this server doesn't list it"), gr.skip()
            told = _words(_LINKED if found.words is not None else _WORDLESS, ignored)
            return [gr.update(open=True), told, model, *values()]

        def ended(fragment: str) -> list[Any]:
            try:
                found = self._linked(fragment, shares)
            except InferenceError:
                found = None
            if found is None:
                return [gr.skip() for _ in self._others]
            return [gr.skip() if found.words is None else found.words, *found.values]

        first = link.change(begun, link, [self.box, self.told, self._model, *turning[0]], queue=False, **PRIVATE)
        choose(first).then(ended, link, self._others, queue=False, **PRIVATE)

    def _linked(self, fragment: str, shares: Shares) -> Restored | None:
        """What the link says; None where it is for another box. Raises `InferenceError`."""
        box, how, text = links.read(fragment)
        if box != self.name:
            return None
        if how == "z":
            return self._read(links.unpacked(text))
        if how == "w":
            return self._wordless(self._read(links.unpacked(text)))
        share = shares.get(text, "link")
        if share is None:
            raise InvalidRequest("The settings of this link are no longer kept here. Ask for it once more.")
        return self._read(json.dumps(share.content).encode())

    def _wordless(self, found: Restored) -> Restored:
        """What a history says, which keeps no words: those on the screen stay, a system prompt's and their like too."""
        controls = self._others[1:]
        values = [
            gr.skip() if value == "" and isinstance(control, gr.Textbox) else value
            for control, value in zip(controls, found.values, strict=True)
        ]
        return replace(found, words=None, values=values)

    def _restored(self, path: str) -> list[Any]:
        unchanged = [gr.skip() for _ in range(1 + len(self._others))]
        try:
            file = Path(path)
            if file.stat().st_size > MAX_BYTES:
                return [_told("The file is too large. Drop it as it was saved.", "pg-error"), *unchanged]
            found = self._read(file.read_bytes())
        except InferenceError as error:
            return [_told(str(error), "pg-error"), *unchanged]
        told = _words(f"Restored from {found.source or f'{self._what} made here'}.", found.ignored)
        return [told, found.model or gr.skip(), found.words, *found.values]


def _words(words: str, ignored: tuple[str, ...]) -> str:
    left = f" Left out: {'; '.join(ignored)}." if ignored else ""
    return _told(f"{words}{left}")


def _told(words: str, kind: str = "") -> str:
    return f'<div class="pg-note {kind}" role="status">{escape(words)}</div>'


def shown(value: Any) -> str:
    """A value as a text box has it."""
    return "" if value is None else value if isinstance(value, str) else f"{value:.15g}"
