"""A tune of somebody's own that the composition goes on from."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from shared.errors import InferenceError, InvalidRequest
from shared.music.beginning import begin
from shared.music.piece import Piece

BARS = 4


class ComposeBeginning:
    """The place to put a tune, folded away until it is wanted, and how much of it is kept."""

    def __init__(self) -> None:
        with gr.Accordion("Go on from a tune of yours", open=False, elem_id="beginning-box"):
            self.file = gr.File(
                label="MIDI or MusicXML",
                file_types=[".mid", ".midi", ".musicxml", ".xml"],
                height=120,
                elem_id="beginning",
            )
            self.bars = gr.Textbox(
                label="Bars of it to keep", value=str(BARS), max_lines=1, max_length=3, elem_id="beginning-bars"
            )
            self.told = gr.HTML("", elem_id="beginning-told")

    @property
    def inputs(self) -> list[Any]:
        """What `read_beginning` reads."""
        return [self.file, self.bars]

    def wire(self) -> None:
        """Connect the events: what was read is told at once."""
        for event in (self.file.change, self.bars.submit):
            event(_told, self.inputs, self.told, api_visibility="private", show_progress="hidden", queue=False)


def read_beginning(path: str | None, bars: str) -> Piece | None:
    """The first bars of the tune, None where there is none. Raises `InvalidRequest`."""
    if not path:
        return None
    if not str(bars).strip().isdecimal():
        raise InvalidRequest(f"The bars to keep must be a whole number; they are {str(bars)[:20]!r}. Mend it.")
    return begin(Path(path).read_bytes(), int(bars))


def _told(path: str | None, bars: str) -> str:
    try:
        tune = read_beginning(path, bars)
    except InferenceError as error:
        return f'<div class="pg-note pg-error" role="alert">{escape(str(error))}</div>'
    if tune is None:
        return ""
    voices = "one voice" if tune.voices == 1 else "four voices"
    words = f"Kept: {tune.full_bars} bars in {tune.key}, {tune.metre}, {voices}, {len(tune.notes)} notes."
    return f'<div class="pg-quiet" role="status">{escape(words)}</div>'
