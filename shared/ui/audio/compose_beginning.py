"""A tune or a recording of somebody's own that the composition goes on from, or follows."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from shared.audio.pcm import to_pcm
from shared.errors import InferenceError, InvalidRequest
from shared.media.sound.opening import open_sound
from shared.music.beginning import begin
from shared.music.piece import Piece
from shared.requests import Recording

BARS = 4
USES = [("go on from its end", "lead_in"), ("follow its tune", "melody")]
LARGEST, LONGEST = 60_000_000, 180.0  # bytes and seconds of a recording


class ComposeBeginning:
    """The place to put a tune or a recording, folded away until it is wanted, and what is done with it."""

    def __init__(self) -> None:
        with gr.Accordion("Go on from a tune or recording of yours", open=False, elem_id="beginning-box"):
            self.file = gr.File(
                label="MIDI or MusicXML",
                file_types=[".mid", ".midi", ".musicxml", ".xml"],
                height=160,
                elem_id="beginning",
            )
            self.bars = gr.Textbox(
                label="Bars of it to keep", value=str(BARS), max_lines=1, max_length=3, elem_id="beginning-bars"
            )
            self.clip = gr.Audio(
                label="A recording, for engines that make sound",
                sources=["upload", "microphone"],
                type="filepath",
                buttons=["download"],
                elem_id="beginning-clip",
                waveform_options=gr.WaveformOptions(show_recording_waveform=False),
            )
            self.how = gr.Radio(USES, value=USES[0][1], label="With the recording", elem_id="beginning-how")
            self.told = gr.HTML("", elem_id="beginning-told")

    @property
    def inputs(self) -> list[Any]:
        """What `read_beginning` reads, then what `read_recording` does."""
        return [self.file, self.bars, self.clip, self.how]

    def wire(self) -> None:
        """Connect the events: what was read is told at once."""
        for event in (self.file.change, self.bars.submit):
            event(_told, self.inputs[:2], self.told, api_visibility="private", show_progress="hidden", queue=False)


def read_beginning(path: str | None, bars: str) -> Piece | None:
    """The first bars of the tune, None where there is none. Raises `InvalidRequest`."""
    if not path:
        return None
    if not str(bars).strip().isdecimal():
        raise InvalidRequest(f"The bars to keep must be a whole number; they are {str(bars)[:20]!r}. Mend it.")
    return begin(Path(path).read_bytes(), int(bars))


def read_recording(path: str | None, how: str) -> dict[str, Any]:
    """Keyword arguments for a `MusicRequest`; none where there is no recording. Raises `InvalidRequest`."""
    if not path:
        return {}
    with open(path, "rb") as file:
        return recording_in(file.read(LARGEST + 1), how)


def recording_in(data: bytes, how: str) -> dict[str, Any]:
    """The same for a file's bytes. Raises `InvalidRequest` where it is no sound, or `how` is no use of `USES`."""
    uses = [use for _, use in USES]
    if how not in uses:
        raise InvalidRequest(f"A recording is used as {', '.join(uses)}; not as {how[:20]!r}.")
    samples, rate = open_sound(data, max_bytes=LARGEST, max_seconds=LONGEST)
    return {how: Recording(to_pcm(samples), rate)}


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
