"""Reads settings back from a dropped picture: this project's own, A1111's `parameters`, or ComfyUI's graph."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from shared.errors import InvalidRequest
from shared.media import a1111, comfyui, exif, png
from shared.media.credentials import has_credentials
from shared.media.fields import Fields, load_json
from shared.media.labelling import KEYWORD
from shared.media.samplers import is_usual, scheduler_class, table
from shared.requests import MOST_OUTPAINT

MAX_BYTES = 20_000_000
Source = Literal["playground", "a1111", "comfyui"]
_KEYWORDS = frozenset({KEYWORD, "parameters", "prompt"})
_NUMBERS = (
    *("width", "height", "num_inference_steps", "guidance_scale", "strength", "variation_strength"),
    *("controlnet_conditioning_scale", "control_guidance_start", "control_guidance_end"),
)
_A1111 = {
    "Steps": "num_inference_steps",
    "CFG scale": "guidance_scale",
    "Distilled CFG Scale": "guidance_scale",
    "Seed": "seed",
    "Variation seed": "variation_seed",
    "Variation seed strength": "variation_strength",
}
_EMPHASIS = re.compile(r"<\w+:[^<>\n]{1,200}>|:\d+(?:\.\d+)?\)")
_NOTHING = (
    "This picture doesn't say how it was made: many websites and apps take that out. "
    "Drop the file as it was first saved."
)


@dataclass(frozen=True, kw_only=True)
class Restored:
    """What a file says about how its picture was made; None where it says nothing.

    `scheduler` is a diffusers class. `model` is what the source calls it: a model id where the source is `playground`.
    `ignored` tells in words what was left out, and why.
    """

    source: Source
    prompt: str = ""
    negative_prompt: str | None = None
    width: int | None = None
    height: int | None = None
    num_inference_steps: int | None = None
    guidance_scale: float | None = None
    scheduler: str | None = None
    strength: float | None = None
    outpaint: tuple[float, ...] | None = None
    control: str | None = None
    controlnet_conditioning_scale: float | None = None
    control_guidance_start: float | None = None
    control_guidance_end: float | None = None
    seed: int | None = None
    variation_seed: int | None = None
    variation_strength: float | None = None
    model: str | None = None
    ignored: tuple[str, ...] = ()


def restore(data: bytes) -> Restored:
    """Read a PNG, JPEG or WebP, or the JSON that lay beside one. Raises `InvalidRequest` where it says nothing."""
    if len(data) > MAX_BYTES:
        raise InvalidRequest(f"The file is larger than {MAX_BYTES // 1_000_000} MB. Drop the picture as it was saved.")
    found = Fields()
    if data.lstrip()[:1] == b"{":
        source = _from_json(load_json(data.decode("utf-8", "replace")), found)
    else:
        source = _from_texts(_texts(data), found, data)
    return Restored(source=source, ignored=found.ignored, **found.values)


def _texts(data: bytes) -> Mapping[str, str]:
    try:
        return png.texts(data, _KEYWORDS) if data.startswith(png.SIGNATURE) else exif.read(data)
    except exif.UNREADABLE:
        raise InvalidRequest(
            "The settings in this file can't be read: it is no PNG, JPEG or WebP, or it is damaged or cut short. "
            "Drop the picture as it was first saved."
        ) from None


def _from_texts(texts: Mapping[str, str], found: Fields, data: bytes) -> Source:
    if texts.get(KEYWORD):
        return _from_json(load_json(texts[KEYWORD]), found)
    if texts.get("parameters", "").strip():
        _from_a1111(texts["parameters"], found)
        return "a1111"
    if texts.get("prompt"):
        comfyui.read(load_json(texts["prompt"]), found)
        return "comfyui"
    if has_credentials(data):
        raise InvalidRequest(
            "This picture is signed by its maker, so its settings were saved in a JSON file beside it. Drop that file."
        )
    raise InvalidRequest(_NOTHING)


def _from_json(document: Any, found: Fields) -> Source:
    if comfyui.is_graph(document):
        comfyui.read(document, found)
        return "comfyui"
    request, receipt = (_part(document, name) for name in ("request", "receipt"))
    if not isinstance(request.get("prompt"), str):
        raise InvalidRequest("This JSON holds no picture's settings. Drop the file that was saved beside the picture.")
    used = {**_part(receipt, "settings"), **request}
    used.setdefault("control", _part(receipt, "extra").get("control"))
    for name in ("prompt", "negative_prompt", "scheduler", "control"):
        found.text(name, used.get(name))
    for name in _NUMBERS:
        found.number(name, used.get(name))
    found.number("seed", _first(request.get("image_seed"), request.get("seed"), receipt.get("seed")))
    found.number("variation_seed", _first(request.get("image_variation_seed"), used.get("variation_seed")))
    _outpaint(used.get("outpaint"), found)
    found.text("model", receipt.get("model"))
    if request.get("from"):
        found.note("it was drawn from another picture, which the file doesn't hold; add that picture again")
    return "playground"


def _outpaint(sides: Any, found: Fields) -> None:
    if sides is None:
        return
    if isinstance(sides, list) and len(sides) == 4 and all(_is_share(side) for side in sides):
        found.values["outpaint"] = tuple(float(side) for side in sides)
    else:
        found.ignore("outpaint", sides, "it is not four shares of a picture's sides")


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MOST_OUTPAINT


def _first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _part(document: Any, name: str) -> dict[str, Any]:
    part = document.get(name) if isinstance(document, dict) else None
    return part if isinstance(part, dict) else {}


def _from_a1111(text: str, found: Fields) -> None:
    prompt, negative, said = a1111.parse(text)
    found.text("prompt", prompt)
    found.text("negative_prompt", negative or None)
    for name, value in said.items():
        _a1111_pair(name, value, said, found)
    if _EMPHASIS.search(prompt) or _EMPHASIS.search(negative or ""):
        found.note("weights and add-ons in the prompt, such as (word:1.2) and <lora:…>, are read as plain words here")


def _a1111_pair(name: str, value: str, said: Mapping[str, str], found: Fields) -> None:
    if name in _A1111:
        found.number(_A1111[name], value)
    elif name == "Size":
        width, _, height = value.partition("x")
        found.number("width", width)
        found.number("height", height)
    elif name == "Sampler":
        _a1111_sampler(value, found)
    elif name == "Schedule type":
        _spacing(value, found)
    elif name == "Model":
        found.text("model", value[:200])
    elif name == "Denoising strength" and not any(other.startswith("Hires") for other in said):
        found.number("strength", value)
    elif name.lower() not in table()["a1111_facts"]["names"]:
        found.ignore(name, value)


def _a1111_sampler(value: str, found: Fields) -> None:
    known, spacing = scheduler_class("a1111", value[:100])
    if known is None and value.endswith("Scheduler") and value.isidentifier():
        known = value  # a class that other tools have no name for, written as it is
    if known:
        found.text("scheduler", known)
        _spacing(spacing, found)
    else:
        found.ignore("Sampler", value)


def _spacing(spacing: str, found: Fields) -> None:
    if not is_usual(spacing):
        found.ignore("Schedule type", spacing, "the spacing of steps is the model's own here")
