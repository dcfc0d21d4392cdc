"""A picture to start from, and a mask drawn on it."""

from __future__ import annotations

from typing import Any

import gradio as gr

from shared.media.masks import mask_from_editor
from shared.media.opening import open_picture, to_part
from shared.requests import ImagePart

HINT = "Put in a picture to draw from it. Paint over a part of it, and only that part is drawn anew."


class StartPanel:
    """The editor, folded away until it is wanted."""

    def __init__(self) -> None:
        with gr.Accordion("Start from a picture", open=False, elem_id="start-box"):
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

    def read(self, value: Any) -> dict[str, ImagePart]:
        """`image` and `mask_image` for a request, where there are any."""
        background = (value or {}).get("background")
        if not background:
            return {}
        found = {"image": to_part(open_picture(background).convert("RGB"))}
        layers = [open_picture(layer).convert("RGBA") for layer in value.get("layers") or [] if layer]
        if any(layer.getchannel("A").getbbox() for layer in layers):
            found["mask_image"] = to_part(mask_from_editor(value))
        return found
