"""A dropped picture's settings, put back on the screen."""

from __future__ import annotations

from typing import Any

import gradio as gr

from shared.backends.diffusion.schedulers import schedulers
from shared.media.restoring import Restored as Found
from shared.media.restoring import restore
from shared.ui.image.settings_panel import NAMES, SEEDS, VARIATION
from shared.ui.restoring import RestoreBox, Restored

NAMED = {"playground": "a picture made here", "a1111": "a picture of A1111", "comfyui": "a picture of ComfyUI"}


def picture_restore() -> RestoreBox:
    """The box for pictures: it sets the settings, how far to draw beyond the edges, and what leads the drawing."""
    endings = (".png", ".jpg", ".jpeg", ".webp")
    return RestoreBox("restore", "a picture", "A picture made here, by A1111 or by ComfyUI", endings, _read)


def _read(data: bytes) -> Restored:
    found = restore(data)
    model = found.model if found.source == "playground" and found.model else ""
    values = [*_values(found), *_sides(found), *_leading(found)]
    return Restored(found.prompt, model, values, found.ignored, NAMED[found.source])


def _values(found: Found) -> list[Any]:
    """What each control gets, in the order of `NAMES`."""
    size = f"{found.width}x{found.height}" if found.width and found.height else ""
    text = {"size": size, "scheduler": _known(found.scheduler), "negative_prompt": found.negative_prompt or ""}
    text |= {name: "" if getattr(found, name) is None else str(getattr(found, name)) for name in SEEDS}
    values: list[Any] = []
    for name in NAMES:
        number = getattr(found, name, None)
        number = 0.0 if number is None and name == VARIATION else number  # it was drawn without
        values.append(text[name] if name in text else gr.skip() if number is None else number)
    return values


def _sides(found: Found) -> list[Any]:
    """Of drawing beyond the edges: no shape, since the sides that came of it are known, and these in percent."""
    return ["", *(round(100 * side) for side in found.outpaint or (0.0, 0.0, 0.0, 0.0))]


def _leading(found: Found) -> list[Any]:
    """What led, how strongly and until when; the picture that led is not in the file."""
    scale, end = found.controlnet_conditioning_scale, found.control_guidance_end
    kind = found.control if found.source == "playground" and found.control else gr.skip()
    return [kind, 1.0 if scale is None else scale, 1.0 if end is None else end]


def _known(scheduler: str | None) -> str:
    return next((name for names in schedulers().values() for name in names if name == scheduler), "")
