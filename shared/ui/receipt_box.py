"""The folded receipt below what was made: most screens have one."""

from __future__ import annotations

import gradio as gr


def receipt_box(name: str = "") -> tuple[gr.Accordion, gr.Markdown]:
    """The box, hidden until there is a receipt, and the receipt in it. Their ids begin with `name`."""
    with gr.Accordion("Receipt", open=False, visible=False, elem_id=f"{name}receipt-box") as box:
        return box, gr.Markdown(elem_id=f"{name}receipt")
