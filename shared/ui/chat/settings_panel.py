"""The chat's settings: each honest about whether the chosen engine can follow it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from shared.chat.schemas import read_schema
from shared.engine import Engine
from shared.tasks import Task
from shared.ui.following import Fitted, Following
from shared.ui.model_picker import Picked
from shared.ui.reading import read_seed

# name -> (label, lowest, highest, step, value where the model has no default, what it does)
SLIDERS: dict[str, tuple[str, float, float, float, float, str]] = {
    "temperature": ("Temperature", 0.0, 2.0, 0.05, 0.7, "0 always takes the likeliest token; higher is more varied."),
    "top_p": ("Top p", 0.0, 1.0, 0.01, 1.0, "Choose among the likeliest tokens that make up this share. 1 is off."),
    "top_k": ("Top k", 0, 200, 1, 0, "Choose among this many likeliest tokens. 0 is off."),
    "repetition_penalty": ("Repetition penalty", 0.5, 2.0, 0.05, 1.0, "Above 1 makes repeats less likely. 1 is off."),
    "max_tokens": ("Longest answer (tokens)", 16, 4096, 16, 512, "The answer is cut there."),
}
# Values that mean "off": they are not sent.
OFF = {"top_p": 1.0, "top_k": 0, "repetition_penalty": 1.0}
SEED = "Blank draws a new one each time; the receipt names it."
INFOS = {"top_logprobs": "Above 0 fills the Look inside tab."}
EFFORTS = [("Model's default", ""), ("None", "none"), ("Low", "low"), ("Medium", "medium"), ("High", "high")]
NAMES = ("system", *SLIDERS, "seed", "reasoning_effort", "top_logprobs", "response_schema")


class SettingsPanel(Fitted):
    """The controls by name, in the order of `NAMES`, fitted to the model that is picked first."""

    def __init__(self, engine: Engine, picked: Picked) -> None:
        super().__init__(engine, Task.CHAT, NAMES, _fit)
        fitted = self.fitted(picked, engine.settings)
        self.controls["system"] = gr.Textbox(
            label="System prompt",
            lines=3,
            max_lines=8,
            placeholder="Who the model should be, and how it should answer",
            **fitted["system"],
        )
        for name, (label, low, high, step, value, _) in SLIDERS.items():
            shown = {"value": value, **fitted[name]}
            self.controls[name] = gr.Slider(low, high, step=step, label=label, elem_id=f"set-{name}", **shown)
        # A text box, since Gradio's number box shows a blank as 0, and 0 is a seed.
        self.controls["seed"] = gr.Textbox(
            label="Seed", max_lines=1, max_length=10, elem_id="set-seed", **fitted["seed"]
        )
        with gr.Accordion("More", open=False):
            self.controls["reasoning_effort"] = gr.Dropdown(
                EFFORTS, value="", label="Thinking effort", **fitted["reasoning_effort"]
            )
            self.controls["top_logprobs"] = gr.Slider(
                0, 20, 0, step=1, label="Alternatives per token", **fitted["top_logprobs"]
            )
            self.controls["response_schema"] = gr.Textbox(
                label="JSON schema for the answer",
                lines=3,
                max_lines=12,
                placeholder='{"type": "object", ...}',
                **fitted["response_schema"],
            )


def _fit(name: str, found: Following | None) -> dict[str, Any]:
    field = {"system": None, "response_schema": "response_format"}.get(name, name)
    reason = found.reason(field) if found and field else None
    changes: dict[str, Any] = {"interactive": reason is None}
    if found and name in SLIDERS:
        changes["value"] = found.defaults.get(name, SLIDERS[name][4])
    if reason:
        changes["info"] = f"Not for this engine: {reason}"
    elif name == "seed":
        repeats = {"exact": "", "best-effort": " This engine repeats a seed as nearly as it can.", "none": ""}
        changes["info"] = SEED + (repeats[found.capabilities.seed] if found else "")
    elif name != "system":
        changes["info"] = SLIDERS[name][5] if name in SLIDERS else INFOS.get(name)
    return changes


def to_request(values: Sequence[Any]) -> dict[str, Any]:
    """Keyword arguments for a `ChatRequest` from the controls' values.

    Raises `InvalidRequest` for a schema or a seed that can't be read.
    """
    given = dict(zip(NAMES, values, strict=True))
    schema = given.pop("response_schema")
    request = {name: value for name, value in given.items() if value not in (None, "") and value != OFF.get(name)}
    if "seed" in request:
        request["seed"] = read_seed(str(request["seed"]))
    for name in ("top_k", "max_tokens", "top_logprobs"):
        if name in request:
            request[name] = int(request[name])
    if not request.get("top_logprobs"):
        request.pop("top_logprobs", None)
    if schema and schema.strip():
        request["response_format"] = response_format(schema)
    return request


def response_format(text: str) -> dict[str, Any]:
    """A JSON schema as `response_format`. Raises `InvalidRequest` where it can't be read, or asks for too much."""
    schema = read_schema(text)
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
