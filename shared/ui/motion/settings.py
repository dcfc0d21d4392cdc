"""The settings of a motion: each honest about whether the chosen engine can follow it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.tasks import Task
from shared.ui.following import Fitted, Following
from shared.ui.model_picker import Picked
from shared.ui.reading import read_number, read_seed

# name -> (label, what it does, longest text, how it is read); blank is the model's own.
ROWS: dict[str, tuple[str, str, int, type[int] | type[float]]] = {
    "num_inference_steps": ("Steps", "More are slower and often better. Blank: 50.", 4, int),
    "guidance_scale": ("Guidance", "How closely the words are followed. Blank: the model's own.", 6, float),
    "seed": ("Seed", "Blank draws a new one each time; the receipt names it.", 10, int),
}
NAMES = tuple(ROWS)


class MotionSettings(Fitted):
    """The controls by name, in the order of `NAMES`, fitted to the model that is picked first."""

    def __init__(self, engine: Engine, picked: Picked) -> None:
        super().__init__(engine, Task.TEXT_TO_MOTION, NAMES, _fit)
        fitted = self.fitted(picked, engine.settings)
        for name, (label, _, longest, _) in ROWS.items():
            # Text boxes, since Gradio's number box shows a blank as 0, and 0 is a seed.
            self.controls[name] = gr.Textbox(
                label=label, placeholder="blank", max_lines=1, max_length=longest, elem_id=f"motion-{name}",
                **fitted[name],
            )  # fmt: skip


def _fit(name: str, found: Following | None) -> dict[str, Any]:
    reason = found.reason(name) if found else None
    return {"interactive": reason is None, "info": f"Not for this engine: {reason}" if reason else ROWS[name][1]}


def to_request(values: Sequence[Any]) -> dict[str, Any]:
    """Keyword arguments for a `MotionRequest` from the controls' values. Raises `InvalidRequest`."""
    given = {name: str(value).strip() for name, value in zip(NAMES, values, strict=True) if value not in (None, "")}
    return {name: _read(name, text) for name, text in given.items() if text}


def _read(name: str, text: str) -> float:
    label, _, _, kind = ROWS[name]
    return read_seed(text) if name == "seed" else read_number(text, label, kind)
