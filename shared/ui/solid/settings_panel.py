"""The settings of a solid: each honest about whether the chosen engine can follow it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.requests.solid import BACKS
from shared.tasks import Task
from shared.ui.following import Fitted, Following
from shared.ui.model_picker import Picked
from shared.ui.reading import read_seed

# name -> (label, lowest, highest, step, value where the model has no default, what it does)
SLIDERS: dict[str, tuple[str, float, float, float, float, str]] = {
    "size_mm": ("Size, mm", 10, 300, 1, 60, "Of the longest side, as it would be printed."),
    "depth": ("Depth", 0.1, 2.0, 0.05, 0.7, "How far it rises for its width. 1 makes a ball of a disc."),
    "parts": ("Parts", 0.0, 1.0, 0.05, 0.25, "How much each part of another colour rises by itself."),
    "resolution": (
        "Resolution",
        24,
        256,
        8,
        96,
        "Cells along the longer side. Triangles grow with its square.",
    ),
    "tolerance": ("Tolerance", 2, 50, 1, 12, "How unlike the background a colour must be. Too high eats the object."),
    "num_inference_steps": ("Steps", 1, 100, 1, 20, "Of the model that draws. More are slower and, to a point, finer."),
    "guidance_scale": ("Guidance", 0.0, 20.0, 0.1, 5.0, "How closely the words are followed."),
}
_BACKS = [("As round as the front", "round"), ("Flat, to lie on a table", "flat")]
NAMES = ("seed", *SLIDERS, "back", "see_through")
_INFOS = {
    "seed": "Blank draws a new one each time; the receipt names it.",
    "back": "Of what the picture doesn't show.",
    "see_through": "Background that the object encloses is a hole, as in a ring. White eyes then are holes, too.",
}
_WHOLE = ("num_inference_steps", "resolution")


class SolidSettings(Fitted):
    """The controls by name, in the order of `NAMES`, fitted to the model that is picked first."""

    def __init__(self, engine: Engine, picked: Picked) -> None:
        super().__init__(engine, Task.TEXT_TO_3D, NAMES, _fit)
        fitted = self.fitted(picked, engine.settings)
        # A text box, since Gradio's number box shows a blank as 0, and 0 is a seed.
        self.controls["seed"] = gr.Textbox(
            label="Seed", placeholder="new each time", max_lines=1, max_length=10, elem_id="set-seed", **fitted["seed"]
        )
        for name, (label, low, high, step, value, _) in SLIDERS.items():
            shown = {"value": value, **fitted[name]}
            self.controls[name] = gr.Slider(low, high, step=step, label=label, elem_id=f"set-{name}", **shown)
        self.controls["back"] = gr.Radio(_BACKS, value="round", label="Back", elem_id="set-back", **fitted["back"])
        self.controls["see_through"] = gr.Checkbox(
            False, label="See through holes", elem_id="set-see_through", **fitted["see_through"]
        )


def _fit(name: str, found: Following | None) -> dict[str, Any]:
    reason = found.reason(name) if found else None
    info = SLIDERS[name][5] if name in SLIDERS else _INFOS[name]
    changes: dict[str, Any] = {"interactive": reason is None}
    changes["info"] = f"Not for this engine: {reason}" if reason else info
    if found and name in SLIDERS and name in found.defaults:
        changes["value"] = found.defaults[name]
    return changes


def to_request(values: Sequence[Any], followed: Sequence[str] = NAMES) -> dict[str, Any]:
    """Keyword arguments for a `SolidRequest` from the controls' values. Raises `InvalidRequest`.

    `followed`: the settings that the engine follows; a slider can't be left blank, so that the others would be
    asked for unseen.
    """
    given = {name: value for name, value in zip(NAMES, values, strict=True) if value not in (None, "")}
    seed = given.pop("seed", None)
    asked = {name: value for name, value in given.items() if name in followed}
    for name in _WHOLE:
        if name in asked:
            asked[name] = int(asked[name])
    if asked.get("see_through") is False:
        del asked["see_through"]
    return asked if seed is None else {**asked, "seed": read_seed(str(seed))}


def shown(values: dict[str, Any]) -> list[Any]:
    """What each control gets, in the order of `NAMES`, for settings by a request's names; others stay as they are."""
    found = dict(values)
    found["seed"] = "" if found.get("seed") is None else str(found["seed"])
    if "back" in found and found["back"] not in BACKS:
        del found["back"]
    return [found[name] if name in found else gr.skip() for name in NAMES]
