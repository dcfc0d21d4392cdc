"""The Edit tab: clips joined, made smoother, given sound and subtitles, and gone on from their end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from shared.errors import InferenceError, InvalidRequest
from shared.media.opening import to_part
from shared.streaming import CancelToken
from shared.ui.running import PRIVATE, RunRow, Shown, note
from shared.ui.sessions import Runs
from shared.ui.video.files import write
from shared.video import subtitles
from shared.video.joining import TRANSITIONS, join
from shared.video.reading import MAX_BYTES, frames, measure
from shared.video.smoothing import TIMES, smooth
from shared.video.sounding import with_sound

HINT = "Works on the clips that you made here, newest first, and on your own files. Nothing is asked of a model."
ENDINGS = [".mp4", ".webm", ".mov", ".gif"]
GO_ON = (
    "Takes the first clip to Make: by its last picture, or as a whole where the engine chosen above goes on from clips."
)
EXAMPLE = "00:00:00,000 --> 00:00:01,500\nFirst an apple\n\n00:00:01,500 --> 00:00:03,000\nthen a butterfly"


class EditPanel:
    """The tab's components and events."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        gr.HTML(f'<div class="pg-quiet">{HINT}</div>')
        with gr.Row(equal_height=False):
            with gr.Column(scale=5, min_width=300):
                self.clips = gr.Dropdown([], multiselect=True, label="Clips made here, in order", elem_id="edit-clips")
                self.files = gr.File(
                    label="Or your own files",
                    file_count="multiple",
                    file_types=ENDINGS,
                    height=160,
                    elem_id="edit-files",
                )
                with gr.Tabs():
                    with gr.Tab("Join"):
                        kinds = [(label, name) for name, label in TRANSITIONS.items()]
                        self.transition = gr.Radio(kinds, value="fade", label="Transition", elem_id="edit-transition")
                        self.lasting = gr.Slider(0.1, 2.0, 0.5, step=0.1, label="Seconds of it", elem_id="edit-lasting")
                        self.joining = RunRow("Join the clips", "join")
                    with gr.Tab("Smooth"):
                        times = [(f"{n} times", n) for n in TIMES]
                        self.times = gr.Radio(times, value=2, label="Frames a second", elem_id="edit-times")
                        self.smoothing = RunRow("Guess the frames between", "smooth")
                    with gr.Tab("Sound"):
                        self.sound = gr.Audio(
                            label="Sound, for example of the audio Space", type="filepath", sources=["upload"],
                            buttons=["download"], elem_id="edit-sound",
                        )  # fmt: skip
                        self.loop = gr.Checkbox(True, label="Begin anew where it is too short", elem_id="edit-loop")
                        self.sounding = RunRow("Add the sound", "sound")
                    with gr.Tab("Subtitles"):
                        self.words = gr.Textbox(
                            EXAMPLE, lines=6, max_lines=20, label="SubRip or WebVTT", elem_id="edit-words"
                        )
                        self.writing = RunRow("Draw them in", "subtitles")
                    with gr.Tab("Go on"):
                        gr.HTML(f'<div class="pg-quiet">{GO_ON}</div>')
                        self.on = gr.Button("Go on from its end", elem_id="go-on")
                        self.told = gr.HTML("", elem_id="go-on-told")
            with gr.Column(scale=6, min_width=300):
                self.film = gr.Video(
                    label="The result", interactive=False, autoplay=True, loop=True, height=420, buttons=["download"],
                    elem_id="edited",
                )  # fmt: skip

    def wire(self, tab: Any, made: Any, begun: list[Any], shown: Any) -> None:
        """Connect the events. `tab`: this one; `made`: what Make made; `shown`: the tabs of the page.

        `begun`: Make's first picture, and its clip to go on from.
        """
        tab.select(_offered, made, self.clips, queue=False, **PRIVATE)
        taken = [self.clips, self.files, made]
        for row, work, more in (
            (self.joining, _joined, [self.transition, self.lasting]),
            (self.smoothing, _smoothed, [self.times]),
            (self.sounding, _sounded, [self.sound, self.loop]),
            (self.writing, _written, [self.words]),
        ):
            row.wire(self._runs, _worker(work), [*taken, *more], [self.film], no_engine=True)
        self.on.click(_on, taken, [*begun, shown, self.told], **PRIVATE)


def _offered(made: list[Any]) -> Any:
    choices = [(f"{len(made) - number}. {caption}", path) for number, (path, caption) in enumerate(made)]
    return gr.update(choices=choices, value=[path for _, path in choices[:1]])


def _taken(chosen: list[str], files: list[str] | None, made: list[Any]) -> list[bytes]:
    """The clips in their order: those chosen of what was made here, then the files. Raises `InvalidRequest`."""
    known = {path for path, _ in made}  # a page may send any path; only this visitor's own are read
    paths = [path for path in chosen or [] if path in known] + list(files or [])
    if not paths:
        raise InvalidRequest("Choose a clip that you made here, or put in a file.")
    found = []
    for path in map(Path, paths):
        if path.stat().st_size > MAX_BYTES:
            raise InvalidRequest(f"{path.name} is larger than {MAX_BYTES // 1_000_000} MB. Cut it, or make it smaller.")
        found.append(path.read_bytes())
    return found


def _worker(work: Callable[..., tuple[str, bytes]]) -> Callable[..., Iterator[Shown]]:
    """The work as a run row follows it."""

    def follow(cancel: CancelToken, chosen: list[str], files: Any, made: list[Any], *more: Any) -> Iterator[Shown]:
        clips = _taken(chosen, files, made)
        yield Shown([gr.skip()], status="Working on it")
        name, data = work(clips, *more)
        yield Shown([write(name, data, "video/mp4")])

    return follow


def _joined(clips: list[bytes], transition: str, seconds: float) -> tuple[str, bytes]:
    return "joined", join(clips, transition, seconds).video


def _smoothed(clips: list[bytes], times: int) -> tuple[str, bytes]:
    return "smooth", smooth(clips[0], int(times))


def _sounded(clips: list[bytes], sound: str | None, loop: bool) -> tuple[str, bytes]:
    if not sound:
        raise InvalidRequest("Put in a sound first, for example one that the audio Space made.")
    return "with-sound", with_sound(clips[0], Path(sound).read_bytes(), loop=loop)


def _written(clips: list[bytes], words: str) -> tuple[str, bytes]:
    return "with-subtitles", subtitles.drawn(clips[0], subtitles.read(words or ""))


def _on(chosen: list[str], files: Any, made: list[Any]) -> list[Any]:
    try:
        clip = _taken(chosen, files, made)[0]
        known = measure(clip)
        *_, last = frames(clip)
        path = Path(write("last-picture", to_part(last).data, "image/png"))
        told = note(f"Make begins with the last picture of this clip, {known.width} x {known.height}.")
        whole = write("clip", clip, "video/mp4")
        return [str(path), whole, gr.update(selected="make"), told]
    except InferenceError as error:
        return [gr.skip(), gr.skip(), gr.skip(), note(str(error), "pg-error")]
