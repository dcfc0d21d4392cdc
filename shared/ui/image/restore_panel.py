"""A dropped picture's settings, put back on the screen."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from shared.backends.diffusion.schedulers import schedulers
from shared.errors import InferenceError
from shared.media.restoring import MAX_BYTES, Restored, restore
from shared.ui.image.settings_panel import NAMES, SEEDS, VARIATION

WAYS = 5 + 3  # controls: of drawing beyond the edges, and of what leads
NAMED = {"playground": "a picture made here", "a1111": "a picture of A1111", "comfyui": "a picture of ComfyUI"}


class RestorePanel:
    """The place to drop a picture, folded away until it is wanted."""

    def __init__(self) -> None:
        with gr.Accordion("Restore settings from a picture", open=False, elem_id="restore-box"):
            self.file = gr.File(
                label="A picture made here, by A1111 or by ComfyUI",
                file_types=[".png", ".jpg", ".jpeg", ".webp", ".json"],
                height=120,
                elem_id="restore",
            )
            self.told = gr.HTML("", elem_id="restore-told")

    def wire(self, prompt: Any, model: Any, settings: list[Any], ways: list[Any]) -> None:
        """Connect the event: a picture that was dropped sets the prompt, the model and the settings.

        `ways`: the controls of how far to draw beyond the edges, then of what leads the drawing.
        """
        outputs = [self.told, prompt, model, *settings, *ways]
        self.file.upload(_restored, self.file, outputs, api_visibility="private", show_progress="hidden")


def _restored(path: str) -> list[Any]:
    unchanged = [gr.skip() for _ in range(2 + len(NAMES) + WAYS)]
    try:
        file = Path(path)
        if file.stat().st_size > MAX_BYTES:
            return [_told("The file is too large. Drop the picture as it was saved.", "pg-error"), *unchanged]
        found = restore(file.read_bytes())
    except InferenceError as error:
        return [_told(str(error), "pg-error"), *unchanged]
    left = f" Left out: {'; '.join(found.ignored)}." if found.ignored else ""
    model = found.model if found.source == "playground" and found.model else gr.skip()
    return [
        _told(f"Restored from {NAMED[found.source]}.{left}"),
        found.prompt,
        model,
        *_values(found),
        *_sides(found),
        *_leading(found),
    ]


def _values(found: Restored) -> list[Any]:
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


def _sides(found: Restored) -> list[Any]:
    """Of drawing beyond the edges: no shape, since the sides that came of it are known, and these in percent."""
    return ["", *(round(100 * side) for side in found.outpaint or (0.0, 0.0, 0.0, 0.0))]


def _leading(found: Restored) -> list[Any]:
    """What led, how strongly and until when; the picture that led is not in the file."""
    scale, end = found.controlnet_conditioning_scale, found.control_guidance_end
    kind = found.control if found.source == "playground" and found.control else gr.skip()
    return [kind, 1.0 if scale is None else scale, 1.0 if end is None else end]


def _known(scheduler: str | None) -> str:
    return next((name for names in schedulers().values() for name in names if name == scheduler), "")


def _told(words: str, kind: str = "") -> str:
    return f'<div class="pg-note {kind}" role="status">{escape(words)}</div>'
