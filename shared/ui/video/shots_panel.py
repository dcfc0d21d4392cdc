"""What a clip comes to after its prompt, what the camera does, and the pictures or the clip that it begins with."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.errors import InvalidRequest
from shared.media.opening import open_picture, to_part
from shared.requests import ClipPart, ImagePart, Shot
from shared.tasks import Task
from shared.ui.following import Fitted, Following
from shared.ui.model_picker import Picked
from shared.ui.sessions import Runs
from shared.ui.video.drawn_picture import DrawnPicture
from shared.video.camera import cameras
from shared.video.given import clip_part
from shared.video.reading import MAX_BYTES

NONE = ("Not said", "")
_INFOS = {
    "shots": "One a line. Each is reached at its second, as in “1.5: a butterfly”; without, they are spread evenly.",
    "camera": "For models that read words, these are added to the prompt.",
}
LABELS = {"image": "First picture", "last_image": "Last picture"}
CLIP = "video"
NAMES = (*_INFOS, *LABELS, CLIP)
_TIMED = re.compile(r"\s*(\d{1,3}(?:[.,]\d{1,3})?)\s*s?\s*[:=]\s*(.+)")


class ShotsPanel(Fitted):
    """The controls by name, in the order of `NAMES`, fitted to the model that is picked first."""

    def __init__(self, engine: Engine, runs: Runs, picked: Picked) -> None:
        super().__init__(engine, Task.TEXT_TO_VIDEO, NAMES, _fit)
        fitted = self.fitted(picked, engine.settings)
        self.controls["shots"] = gr.Textbox(
            label="Then", lines=2, max_lines=8, placeholder="a butterfly", elem_id="shots", **fitted["shots"]
        )
        choices = [NONE, *((row.label, name) for name, row in cameras().items())]
        self.controls["camera"] = gr.Dropdown(choices, value="", label="Camera", elem_id="camera", **fitted["camera"])
        with gr.Accordion("Begin or end with a picture", open=False, elem_id="pictures-box") as self.box:
            with gr.Row():
                for name in LABELS:
                    self.controls[name] = gr.Image(
                        label=fitted[name]["label"],
                        type="filepath",  # opened under our own limits
                        sources=["upload", "clipboard"],
                        height=170,
                        min_width=140,
                        elem_id=f"picture-{name}",
                        interactive=fitted[name]["interactive"],
                    )
            self.drawn = DrawnPicture(engine, runs)
        self.controls[CLIP] = gr.File(
            label="The clip to go on from",
            file_types=[".mp4", ".webm"],
            height=160,
            elem_id="clip-on",
            **fitted[CLIP],
        )


def _fit(name: str, found: Following | None) -> dict[str, Any]:
    reason = found.reason(name) if found else None
    if name == CLIP:
        return {"visible": found is not None and reason is None}
    if name in LABELS:  # a picture's box has no place for words but its label
        label = f"{LABELS[name]}: not for this engine" if reason else LABELS[name]
        return {"interactive": reason is None, "label": label}
    return {"interactive": reason is None, "info": f"Not for this engine: {reason}" if reason else _INFOS[name]}


def read(
    shots: str, camera: str, image: str | None, last_image: str | None, begun: str | None, seconds: float
) -> dict[str, Any]:
    """Fields of a `VideoRequest`. `seconds`: of the clip, for shots without a time. Raises `InvalidRequest`.

    `begun`: the clip to go on from, where the engine does so; the first picture, which is its last, is then left out.
    """
    found: dict[str, Any] = {}
    if lines := [line for line in (shots or "").splitlines() if line.strip()]:
        found["shots"] = read_shots(lines, seconds)
    if camera:
        found["camera"] = camera
    if begun:
        found["video"], image = clip(begun), None
    for name, path in (("image", image), ("last_image", last_image)):
        if path:
            found[name] = picture(path)
    return found


def read_shots(lines: list[str], seconds: float) -> tuple[Shot, ...]:
    """A shot a line: at its second where it says one, else spread evenly over the clip. Raises `InvalidRequest`."""
    timed = [_TIMED.fullmatch(line) for line in lines]
    if not any(timed):
        step = seconds / len(lines)
        return tuple(Shot(start=round(step * (i + 1), 3), prompt=line.strip()) for i, line in enumerate(lines))
    if not all(timed):
        raise InvalidRequest("Give a second to each further shot, as in “1.5: a butterfly”, or to none of them.")
    return tuple(Shot(start=float(m[1].replace(",", ".")), prompt=m[2].strip()) for m in timed if m)


def picture(path: str) -> ImagePart:
    """The picture of a file. Raises `InvalidRequest`."""
    return to_part(open_picture(path).convert("RGB"))


def clip(path: str) -> ClipPart:
    """The clip of a file. Raises `InvalidRequest`."""
    file = Path(path)
    if file.stat().st_size > MAX_BYTES:
        raise InvalidRequest(f"{file.name} is larger than {MAX_BYTES // 1_000_000} MB. Cut it, or make it smaller.")
    return clip_part(file.read_bytes())
