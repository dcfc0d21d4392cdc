"""The settings of a picture: each honest about whether the chosen engine can follow it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from shared.backends.diffusion.schedulers import label, schedulers
from shared.engine import Engine
from shared.errors import InvalidRequest
from shared.image.shapes import presets
from shared.tasks import Task
from shared.ui.following import Fitted, Following
from shared.ui.model_picker import Picked
from shared.ui.reading import read_seed

# name -> (label, lowest, highest, step, value where the model has no default, what it does)
SLIDERS: dict[str, tuple[str, float, float, float, float, str]] = {
    "num_inference_steps": ("Steps", 1, 100, 1, 20, "Each takes noise away. More are slower and, to a point, finer."),
    "guidance_scale": ("Guidance", 0.0, 20.0, 0.1, 5.0, "How closely the words are followed. Too much burns colours."),
    "strength": ("Strength", 0.0, 1.0, 0.05, 0.6, "With a start picture: 0 keeps it, 1 forgets it."),
    "num_images_per_prompt": ("Pictures", 1, 8, 1, 1, "Each with the next seed."),
}
# Of these, 0 is off and not sent.
VARIATION = "variation_strength"
SLIDERS[VARIATION] = ("Variation", 0.0, 1.0, 0.01, 0.0, "How far to move from the seed's noise to another seed's.")
SEED = "Blank draws a new one each time; the receipt names it."
SEEDS = ("seed", "variation_seed")
INFOS = {"seed": SEED, "variation_seed": "Blank draws one.", "size": "Or type one: 640x448"}
KEEP = "Keep the seed"
OWN = ("Model's own", "")
NAMES = ("negative_prompt", "size", *SLIDERS, "scheduler", *SEEDS)


class SettingsPanel(Fitted):
    """The controls by name, in the order of `NAMES`, fitted to the model that is picked first."""

    def __init__(self, engine: Engine, picked: Picked) -> None:
        super().__init__(engine, Task.TEXT_TO_IMAGE, NAMES, _fit)
        fitted = self.fitted(picked, engine.settings)
        self._seed("seed", "Seed", fitted)
        self.keep = gr.Checkbox(False, label=KEEP, elem_id="keep-seed")
        for name in SLIDERS:
            if name != VARIATION:
                self._slider(name, fitted)
        self.controls["size"] = gr.Dropdown(
            value="", label="Size", allow_custom_value=True, elem_id="set-size", **fitted["size"]
        )
        self.controls["scheduler"] = gr.Dropdown(
            # One that a file or a lesson names may be none of the model's: then the engine says which are.
            label="Scheduler",
            allow_custom_value=True,
            elem_id="set-scheduler",
            **{"value": "", **fitted["scheduler"]},
        )
        self.controls["negative_prompt"] = gr.Textbox(
            label="Negative prompt",
            lines=2,
            placeholder="What the picture should not show",
            elem_id="set-negative",
            **fitted["negative_prompt"],
        )
        with gr.Accordion("Variations of a seed", open=False, elem_id="variations"):
            self._slider(VARIATION, fitted)
            self._seed("variation_seed", "Variation seed", fitted)

    def _slider(self, name: str, fitted: dict[str, Any]) -> None:
        label, low, high, step, value, _ = SLIDERS[name]
        shown = {"value": value, **fitted[name]}
        self.controls[name] = gr.Slider(low, high, step=step, label=label, elem_id=f"set-{name}", **shown)

    def _seed(self, name: str, label: str, fitted: dict[str, Any]) -> None:
        # A text box, since Gradio's number box shows a blank as 0, and 0 is a seed.
        self.controls[name] = gr.Textbox(label=label, max_lines=1, max_length=10, elem_id=f"set-{name}", **fitted[name])

    def keep_seed_of(self, last: gr.State) -> None:
        """Connect the lock. `last`: the seed of the last run, which is put in its place and stays while it is on."""
        seed, keep = self.controls["seed"], self.keep
        options: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "queue": False}
        keep.input(_locked, [keep, seed, last], seed, **options)
        last.change(_ended, [keep, seed, last], seed, **options)
        seed.change(None, seed, keep, js="(seed) => seed.trim() !== ''", **options)


def _fit(name: str, found: Following | None) -> dict[str, Any]:
    reason = found.reason({"size": "width"}.get(name, name)) if found else None
    infos = {**INFOS, **{n: s[5] for n, s in SLIDERS.items()}}
    changes: dict[str, Any] = {"interactive": reason is None}
    changes["info"] = f"Not for this engine: {reason}" if reason else infos.get(name)
    if found and name in SLIDERS and name in found.defaults:
        changes["value"] = found.defaults[name]
    if name == "size":
        known = (found.capabilities.side, found.capabilities.sizes) if found else (None, ())
        changes["choices"] = [OWN, *presets(*known)]
    if name == "scheduler":
        every = tuple(each for names in schedulers().values() for each in names)
        offered = (found.capabilities.schedulers if found else ()) or every
        changes["choices"] = [OWN, *((label(each), each) for each in offered)]
        changes |= {"value": ""} if found else {}  # another engine may not have the one that was chosen
    return changes


def _locked(keep: bool, seed: str, last: int | None) -> Any:
    """The lock was turned: the seed of the last run is put in, or the place is cleared for new ones."""
    if not keep:
        return ""
    return gr.skip() if seed.strip() or last is None else str(last)


def _ended(keep: bool, seed: str, last: int | None) -> Any:
    """A run ended: its seed is kept if the lock was on and no seed was there yet."""
    return str(last) if keep and not seed.strip() and last is not None else gr.skip()


def to_request(values: Sequence[Any]) -> dict[str, Any]:
    """Keyword arguments for an `ImageRequest` from the controls' values.

    Raises `InvalidRequest` for a seed or a size that can't be read.
    """
    given = dict(zip(NAMES, values, strict=True))
    size = str(given.pop("size") or "")
    request = {name: value for name, value in given.items() if value not in (None, "")}
    if size:
        request["width"], request["height"] = read_size(size)
    if not request.get(VARIATION):
        for name in (VARIATION, "variation_seed"):
            request.pop(name, None)
    for name in SEEDS:
        if name in request:
            request[name] = read_seed(str(request[name]))
    for name in ("num_inference_steps", "num_images_per_prompt"):
        if name in request:
            request[name] = int(request[name])
    return request


def read_size(text: str) -> tuple[int, int]:
    """Width and height from a text like `640x448`. Raises `InvalidRequest`."""
    sides = text.lower().replace("×", "x").split("x")
    if len(sides) != 2 or not all(side.strip().isdecimal() and len(side) < 7 for side in sides):
        raise InvalidRequest(f"The size must be like 640x448; it is {text[:20]!r}. Mend it or choose one of the list.")
    return int(sides[0]), int(sides[1])
