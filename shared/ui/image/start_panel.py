"""A picture to start from, and a mask drawn on it."""

from __future__ import annotations

import io
from typing import Any

import gradio as gr

from shared.requests import ImagePart

HINT = "Put in a picture to draw from it. Paint over a part of it, and only that part is drawn anew."


class StartPanel:
    """The editor, folded away until it is wanted."""

    def __init__(self) -> None:
        with gr.Accordion("Start from a picture", open=False, elem_id="start-box"):
            gr.HTML(f'<div class="pg-quiet">{HINT}</div>')
            self.editor = gr.ImageEditor(
                label="Start picture",
                type="pil",
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
        if background is None:
            return {}
        found = {"image": _png(background.convert("RGB"))}
        masks = [layer.getchannel("A") for layer in value.get("layers") or [] if layer.getchannel("A").getbbox()]
        if masks:
            found["mask_image"] = _png(masks[0].point(lambda a: 255 if a > 40 else 0))
        return found


def _png(image: Any) -> ImagePart:
    file = io.BytesIO()
    image.save(file, "PNG")
    return ImagePart(file.getvalue(), "image/png")
