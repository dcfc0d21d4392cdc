"""The In space tab: a sound, put somewhere around the listener or moved, and the file of it."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from shared.audio.space import paths
from shared.audio.space.placing import FILES, LONGEST, place_file
from shared.audio.space.ways import WAYS
from shared.errors import InferenceError, InvalidRequest
from shared.media.sound.files import KINDS
from shared.media.sound.opening import MAX_BYTES
from shared.operation import beside
from shared.ui.audio import pad
from shared.ui.temporary import new_folder

HINT = (
    "Give a sound a place around the listener, or a path. For headphones it goes through the filters of a measured "
    "dummy head; what moves also changes its pitch a little, as in the open air. No model is needed for this."
)
MADE = "speech", "music", "sound"  # in the Space's other tabs
STAYS = ""  # of the moves: as the controls or the map say
_PRIVATE: dict[str, Any] = {"api_visibility": "private"}


class PlacePanel:
    """The tab's components; `wire` connects them."""

    def __init__(self) -> None:
        self._drawn = gr.Textbox(visible=False)
        gr.HTML(f'<div class="pg-quiet">{HINT}</div>')
        with gr.Row(equal_height=False):
            with gr.Column(scale=5, min_width=300):
                self.sound = gr.Audio(
                    label="The sound", type="filepath", sources=["upload"], buttons=["download"], elem_id="place-sound"
                )
                with gr.Row():
                    self.takes = [gr.Button(f"Take the {what}", size="sm", min_width=90) for what in MADE]
                ways = [(way.label, name) for name, way in WAYS.items()]
                self.way = gr.Dropdown(ways, value="binaural", label="For", elem_id="place-way")
                named = [(called, name) for name, (called, _) in paths.moves().items()]
                self.move = gr.Dropdown(
                    [("Drawn on the map, or by numbers", STAYS), *named],
                    value="circle",
                    label="Movement",
                    elem_id="place-move",
                )
                with gr.Accordion("A place by numbers", open=False):
                    self.azimuth = gr.Slider(
                        -180, 180, value=60, step=1, label="Azimuth (degrees; 90 is left)", elem_id="place-azimuth"
                    )
                    self.elevation = gr.Slider(
                        -40, 90, value=0, step=1, label="Elevation (degrees; 90 is above)", elem_id="place-elevation"
                    )
                    self.distance = gr.Slider(
                        0.2, 20, value=1, step=0.1, label="Distance (metres)", elem_id="place-distance"
                    )
                self.kind = gr.Dropdown([(KINDS[n].label, n) for n in FILES], value="wav", label="File")
                self.run = gr.Button("Place it", variant="primary", elem_id="place")
            with gr.Column(scale=6, min_width=300):
                pad.build("place-pad")
                self.told = gr.HTML("", elem_id="place-told")
                self.heard = gr.Audio(
                    label="Placed",
                    type="filepath",
                    interactive=False,
                    visible=False,
                    buttons=["download"],
                    elem_id="placed",
                    waveform_options=gr.WaveformOptions(show_recording_waveform=False),
                )
                self.file = gr.File(label="File", visible=False, elem_id="placed-file", height=80)

    def wire(self, *made: Any) -> None:
        """Connect the events. `made`: the components that hold what was made last, in the order of `MADE`."""
        for button, last in zip(self.takes, made, strict=True):
            button.click(lambda path: path or gr.skip(), last, self.sound, queue=False, **_PRIVATE)
        numbers = [self.azimuth, self.elevation, self.distance]
        inputs = [self._drawn, self.sound, self.way, self.move, *numbers, self.kind]
        outputs = [self.told, self.heard, self.file]
        self.run.click(_placed, inputs, outputs, js=pad.TELL, concurrency_limit=2, **_PRIVATE)


def _placed(
    drawn: Any, sound: str | None, way: str, move: str, azimuth: float, elevation: float, distance: float, kind: str
) -> list[Any]:
    try:
        if not sound:
            raise InvalidRequest(f"Drop a sound first, at most {LONGEST:g} seconds long, or take one from another tab.")
        source = Path(sound)
        if source.stat().st_size > MAX_BYTES:
            raise InvalidRequest(f"The sound is larger than {MAX_BYTES / 1e6:g} MB. Shorten it and try again.")
        course = _course(pad.read(drawn), move, azimuth, elevation, distance)
        with beside.in_turn():
            made = place_file(source.read_bytes(), course, way, kind)
    except InferenceError as error:
        return [f'<div class="pg-note pg-error" role="alert">{escape(str(error))}</div>', gr.skip(), gr.skip()]
    stem = re.sub(r"[^a-zA-Z0-9]+", "-", source.stem).strip("-")[:40] or "sound"
    path = new_folder() / f"{stem}-{way}{made.kind.suffix}"
    path.write_bytes(made.data)
    plays = len(made.channels) == 2
    words = f'<div class="pg-note" role="status">{escape(made.words)}</div>' if made.words else ""
    heard = gr.update(value=str(path) if plays else None, visible=plays)
    return [words, heard, gr.update(value=str(path), visible=True)]


def _course(points: list[tuple[float, float]], move: str, *numbers: float) -> paths.Course:
    if move:
        return paths.moves()[move][1]
    if points:
        return paths.drawn(points, numbers[1])
    return paths.still(paths.Place(*numbers))
