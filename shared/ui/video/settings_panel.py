"""The settings of a clip: each honest about whether the chosen engine can follow it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.image.shapes import presets
from shared.tasks import Task
from shared.ui.following import Fitted, Following
from shared.ui.image.settings_panel import OWN, read_size
from shared.ui.model_picker import Picked
from shared.ui.reading import read_number, read_seed

# name -> (label, what it does, longest text, how it is read); blank is the model's own.
ROWS: dict[str, tuple[str, str, int, type[int] | type[float] | type[str]]] = {
    "seed": ("Seed", "Blank draws a new one each time; the receipt names it.", 10, str),
    "duration": ("Seconds", "Blank: the model's own.", 6, float),
    "fps": ("Frames a second", "Blank: the model's own.", 5, float),
    "num_inference_steps": ("Steps", "More are slower and, to a point, finer. Blank: the model's own.", 4, int),
    "guidance_scale": ("Guidance", "How closely the words are followed. Blank: the model's own.", 6, float),
    "strength": (
        "Anew",
        "How much of each frame is drawn anew from the one before, 0 to 1. Blank: by the camera.",
        5,
        float,
    ),
    "wander": ("Wander", "How far the noise goes on its way, 0 to 1. Blank: all the way.", 5, float),
    "step_cache": (
        "Step cache",
        "How alike steps must be for most of one to be taken from the one before. 0: never. Quicker, and less exact.",
        6,
        float,
    ),
    "negative_prompt": ("Negative prompt", "What the clip should not show.", 1000, str),
}
NAMES = ("size", *ROWS)
_SIZE = "Or type one: 640x448"


class SettingsPanel(Fitted):
    """The controls by name, in the order of `NAMES`, fitted to the model that is picked first."""

    def __init__(self, engine: Engine, picked: Picked) -> None:
        super().__init__(engine, Task.TEXT_TO_VIDEO, NAMES, _fit)
        fitted = self.fitted(picked, engine.settings)
        for name in ("seed", "duration", "fps"):
            self._text(name, fitted)
        self.controls["size"] = gr.Dropdown(
            value="", label="Size", allow_custom_value=True, elem_id="set-size", **fitted["size"]
        )
        for name in ROWS:
            if name not in self.controls:
                self._text(name, fitted)

    def _text(self, name: str, fitted: dict[str, Any]) -> None:
        label, _, longest, _ = ROWS[name]
        # Text boxes, since Gradio's number box shows a blank as 0, and 0 is a seed.
        self.controls[name] = gr.Textbox(
            label=label, max_lines=1, max_length=longest, elem_id=f"set-{name}", **fitted[name]
        )


def _fit(name: str, found: Following | None) -> dict[str, Any]:
    reason = found.reason({"size": "width"}.get(name, name)) if found else None
    info = _size(found) if name == "size" else ROWS[name][1]
    changes: dict[str, Any] = {"interactive": reason is None}
    changes["info"] = f"Not for this engine: {reason}" if reason else info
    if name == "size":
        known = (found.capabilities.side, found.capabilities.sizes) if found else (None, ())
        changes["choices"] = [OWN, *presets(*known)]
    elif found is not None and reason is None:
        changes["placeholder"] = _own(name, found)
    return changes


def _size(found: Following | None) -> str:
    own = [found.defaults.get(name) for name in ("width", "height")] if found else []
    return f"Blank: {own[0]}x{own[1]}. {_SIZE}" if all(own) and own else _SIZE


def _own(name: str, found: Following) -> str:
    """The model's own value, shown where nothing is typed."""
    clips = found.capabilities.clips
    if name in found.defaults:
        return f"{found.defaults[name]:g}"
    if clips is None or name not in ("duration", "fps"):
        return ""
    fps = float(found.defaults.get("fps", clips.fps))
    frames = int(found.defaults.get("num_frames") or clips.frames)
    return f"{fps:g}" if name == "fps" else f"{clips.durations[0] if clips.durations else frames / fps:.3g}"


def to_request(values: Sequence[Any]) -> dict[str, Any]:
    """Keyword arguments for a `VideoRequest` from the controls' values. Raises `InvalidRequest`."""
    given = {name: str(value).strip() for name, value in zip(NAMES, values, strict=True) if value not in (None, "")}
    found: dict[str, Any] = {}
    for name, text in given.items():
        if name == "size" and text:
            found["width"], found["height"] = read_size(text)
        elif text:
            found[name] = read_row(name, text)
    return found


def read_row(name: str, text: str) -> Any:
    """The value of a row's text. Raises `InvalidRequest`."""
    label, _, _, kind = ROWS[name]
    if name == "seed":
        return read_seed(text)
    return read_number(text, label, kind) if issubclass(kind, int | float) else text
