"""A voice of one's own for the Speak tab: a recording of it, with the spoken consent of whose it is."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from shared.audio.cloning import perth
from shared.audio.cloning.clip import LONGEST, MAX_BYTES, SHORTEST
from shared.audio.cloning.consent import TYPED, checker, reference_of, sentence, today
from shared.audio.cloning.marking import missing
from shared.background import meanwhile
from shared.engine import Engine
from shared.errors import InferenceError, InvalidRequest
from shared.media.sound.opening import open_sound
from shared.pacing import status_of
from shared.requests import Reference
from shared.streaming import CancelToken
from shared.tasks import Task
from shared.ui.page import PRIVATE
from shared.ui.running import RunRow, Shown, note
from shared.ui.sessions import Runs, with_keys

LOOKED_THROUGH = 180.0  # seconds of a sound at most


class ClonePanel:
    """The components, folded away until they are wanted. `reference`: the voice, once its person's consent is had."""

    def __init__(self, engine: Engine, runs: Runs) -> None:
        self._engine, self._runs = engine, runs
        with gr.Accordion("Speak with your own voice", open=False, elem_id="clone-box"):
            self.sentence = gr.HTML(_asked(), elem_id="clone-sentence")
            self.clip = gr.Audio(
                label="The voice, reading that sentence",
                sources=["microphone", "upload"],
                type="filepath",
                buttons=["download"],
                elem_id="clone-clip",
                waveform_options=gr.WaveformOptions(show_recording_waveform=False),
            )
            self.typed = gr.Textbox(
                label="Confirmed in writing, since no listener is installed",
                info=f"If the voice is yours, or its person agrees: {TYPED}. Nobody checks this; the receipt says so.",
                max_lines=1,
                max_length=60,
                visible=checker() is None,
                elem_id="clone-typed",
            )
            self.row = RunRow("Check the recording", "clone")
            self.forget = gr.Button("Forget the voice", visible=False, size="sm", elem_id="clone-forget")
            gr.HTML(f'<div class="pg-quiet">{escape(_about(engine))}</div>')
            self.look = gr.UploadButton(
                "Look for the watermark in a sound",
                file_types=["audio"],
                size="sm",
                visible=not missing(),
                elem_id="clone-look",
            )
            self.marked = gr.HTML("", elem_id="clone-marked")
        self.reference = gr.State(None)

    def wire(self, demo: gr.Blocks, keys: Any) -> None:
        """Connect the events."""
        self.row.wire(
            self._runs,
            self._check,
            [self.clip, self.typed, keys],
            [self.reference, self.clip, self.forget],
            no_engine=True,
        )
        forgotten = [self.reference, self.forget, self.row.told]
        self.forget.click(lambda: [None, gr.update(visible=False), ""], None, forgotten, **PRIVATE)
        looked = {**PRIVATE, "queue": True}  # it takes a second or two
        self.look.upload(_marked, self.look, self.marked, concurrency_limit=2, **looked)
        demo.load(_asked, None, self.sentence, **PRIVATE)  # the server may have run for days

    def _check(self, cancel: CancelToken, path: str | None, typed: str, keys: Any) -> Iterator[Shown]:
        if not path:
            raise InvalidRequest("Record the voice first, or upload a recording of it.")
        file = Path(path)
        with file.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
        settings = with_keys(self._engine.settings, keys)
        steps = meanwhile(lambda emit: reference_of(data, typed or "", settings, emit), "Listening", cancel)
        try:
            while True:
                yield Shown([gr.skip()] * 3, status=status_of(next(steps)))
        except StopIteration as ended:
            reference: Reference = ended.value
        finally:
            steps.close()
        file.unlink(missing_ok=True)  # from here on it is in this visit's memory alone
        assert reference.consent is not None
        words = (
            f"Consent {reference.consent.how}. Speak now uses this voice, with the engines that can, until you "
            "forget it or leave the page."
        )
        yield Shown([reference, gr.update(value=None), gr.update(visible=True)], note=words)


def _marked(path: str) -> str:
    """Whether a sound carries the mark, as HTML."""
    try:
        with open(path, "rb") as file:
            samples, rate = open_sound(file.read(MAX_BYTES + 1), max_bytes=MAX_BYTES, max_seconds=LOOKED_THROUGH)
        surely = perth.found(samples, rate)
    except InferenceError as error:
        return note(str(error), "pg-error")
    there = f"{perth.NAME}'s watermark is not in it, or was taken out ({surely:.2f} of 1)."
    if surely > 0.5:
        there = f"{perth.NAME}'s watermark seems to be in it ({surely:.2f} of 1)."
    return note(
        f"{there} A network that knows speech tells so: in other sounds, such as a hum, it may see what isn't there."
    )


def _asked() -> str:
    """The sentence to read, as HTML."""
    return (
        f'<div class="pg-quiet">Whose voice it is reads this aloud, {SHORTEST:g} to {LONGEST:g} seconds:</div>'
        f'<blockquote class="pg-read">{escape(sentence(today()))}</blockquote>'
    )


def _about(engine: Engine) -> str:
    """Which models can, who checks, and what the sound carries."""
    from shared.backends import get_backend

    able = [
        choice.spec.name
        for choice in engine.choices(Task.TEXT_TO_SPEECH)
        if "reference" in get_backend(choice.variant.backend).capabilities(choice.variant).parameters
    ]
    listener, unmarked = checker(), missing()
    checked = f"{listener.name} checks that the sentence is in it." if listener else "No listener is installed."
    marked = "The receipt says that a voice is imitated, and the sound carries Perth's watermark."
    if unmarked:
        marked = f"The receipt says that a voice is imitated, and the sound carries no watermark ({unmarked})."
    return (
        f"Engines that can: {', '.join(dict.fromkeys(able))}. {checked} The recording goes to the engine that you "
        f"choose and into no file. {marked}"
    )
