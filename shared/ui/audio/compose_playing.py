"""The finished composition's player: the sound, what it is played on, and the files to keep."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from shared.errors import InferenceError
from shared.media.sound.files import KINDS, kind_of
from shared.media.sound.labelling import label
from shared.media.sound.recoding import recode
from shared.music.composed import Composition
from shared.music.finishing import notes
from shared.music.instruments import instruments
from shared.outputs import AudioOutput
from shared.receipts import Receipt
from shared.requests import MusicRequest
from shared.ui.audio.files import stem, write
from shared.ui.audio.made_sound import made_sound
from shared.ui.running import PRIVATE, note
from shared.ui.sharing import Made, made_by_file


@dataclass(frozen=True)
class Kept:
    """What of the last composition stays in the session: itself, what was asked for, and the paths of its files.

    `sound`: the WAV, from which other kinds are made; empty before it is played.
    """

    made: Composition
    asked: MusicRequest
    notes: tuple[str, ...]
    sound: str = ""


class ComposePlaying:
    """The components. What they are to show is given as a dictionary of updates, component -> update."""

    def __init__(self) -> None:
        self.sound = made_sound(label="The music", name="compose-sound")
        kinds = [(kind.label, name) for name, kind in KINDS.items()]
        named = [(row["label"], name) for name, row in instruments().items()]
        with gr.Row():
            self.kind = gr.Dropdown(kinds, value="wav", label="Sound as", elem_id="compose-kind", min_width=120)
            self.instrument = gr.Dropdown(
                named, label="Played on", visible=False, elem_id="compose-instrument", min_width=120
            )
        self.files = gr.File(
            label="Files: the sound, MIDI, MusicXML",
            visible=False,
            interactive=False,
            elem_id="compose-files",
            height=215,
        )
        self.kept = gr.State(None)

    @property
    def outputs(self) -> list[Any]:
        """What a composition changes."""
        return [self.sound, self.instrument, self.files, self.kept]

    def wire(self, told: Any) -> None:
        """Connect the event: another kind of file is made of the sound there is. `told`: where a failure is shown."""
        outputs = [self.files, self.sound, told]
        self.kind.input(_as_kind, [self.kind, self.kept], outputs, queue=False, **PRIVATE)

    def cleared(self) -> dict[Any, Any]:
        """Nothing to be heard yet."""
        hidden = gr.update(value=None, visible=False)
        return {self.sound: hidden, self.files: hidden, self.instrument: hidden, self.kept: None}

    def written(self, made: Composition, receipt: Receipt, asked: MusicRequest) -> tuple[Kept, dict[Any, Any]]:
        """The notes are there: their files."""
        contents = {f".{ending}": data for ending, data in notes(made, receipt, asked).items()}
        kept = Kept(made, asked, tuple(write(stem(asked, receipt), contents)))
        files = gr.update(value=list(kept.notes) or None, visible=bool(kept.notes))
        instrument = gr.update(value=made.instrument, visible=bool(kept.notes))
        return kept, {self.files: files, self.instrument: instrument, self.kept: kept}

    def heard(self, kept: Kept, sound: AudioOutput, receipt: Receipt, kind: str) -> tuple[str, dict[Any, Any]]:
        """The sound is there, too: its file, of that kind. Also says, as HTML, where it could not be of that kind."""
        data = label(sound, "wav", receipt, kept.asked)
        kept = Kept(kept.made, kept.asked, kept.notes, *write(stem(kept.asked, receipt), {".wav": data}))
        files, shown, problem = _as_kind(kind, kept)
        return problem, {self.files: files, self.sound: shown, self.kept: kept}


def composed(kept: Kept | None) -> Made:
    """What can be handed on of a composition: its sound, or its notes before that. Raises `InvalidRequest`."""
    paths = [kept.sound, *kept.notes] if kept else []
    return made_by_file(next((path for path in paths if path.endswith((".wav", ".mid"))), None))


def _as_kind(kind: str, kept: Kept | None) -> tuple[Any, Any, str]:
    """The files for people, with the sound as that kind; the sound to hear; and what went wrong, as HTML."""
    if kept is None or not kept.sound:
        return gr.skip(), gr.skip(), ""
    path, problem = Path(kept.sound), ""
    if kind != "wav":
        try:
            path = Path(*write(path.stem, {kind_of(kind).suffix: recode(path.read_bytes(), kind)}))
        except InferenceError as error:
            problem = note(str(error), "pg-warn")
    files = gr.update(value=[str(path), *kept.notes], visible=True)
    return files, gr.update(value=str(path), visible=True), problem
