"""A picture to start from, a mask drawn on it, and how far to draw beyond its edges."""

from __future__ import annotations

from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.media.masks import mask_from_editor
from shared.media.opening import open_picture, to_part
from shared.ui.image.outpaint_panel import OutpaintPanel
from shared.ui.image.outpaint_panel import read as read_outpaint
from shared.ui.model_picker import Picked

HINT = "Put in a picture to draw from it. Paint over a part of it, and only that part is drawn anew."


class StartPanel:
    """The editor, folded away until it is wanted."""

    def __init__(self, engine: Engine, picked: Picked) -> None:
        with gr.Accordion("Start from a picture", open=False, elem_id="start-box") as self.box:
            gr.HTML(f'<div class="pg-quiet">{HINT}</div>')
            self.editor = gr.ImageEditor(
                label="Start picture",
                type="filepath",  # opened under our own limits
                image_mode="RGBA",
                elem_id="start",
                layers=False,
                brush=gr.Brush(default_size=24, colors=["#ffffff"], color_mode="fixed"),
                sources=["upload", "clipboard"],
                transforms=[],
                height=320,
            )
            self.outpaint = OutpaintPanel(engine, picked)
        self.outpaint.wire(self.editor)

    @property
    def values(self) -> list[Any]:
        """The controls that `read` reads, in its order."""
        return [self.editor, *self.outpaint.values]

    def read(self, value: Any, shape: str, *percent: float) -> dict[str, Any]:
        """`image`, `mask_image` and `outpaint` for a request, where there are any."""
        background = (value or {}).get("background")
        if not background:
            return {}
        picture = open_picture(background).convert("RGB")
        found: dict[str, Any] = {"image": to_part(picture)}
        layers = [open_picture(layer).convert("RGBA") for layer in value.get("layers") or [] if layer]
        if any(layer.getchannel("A").getbbox() for layer in layers):
            found["mask_image"] = to_part(mask_from_editor(value))
        if sides := read_outpaint(picture.size, shape, *percent):
            found["outpaint"] = sides
        return found
