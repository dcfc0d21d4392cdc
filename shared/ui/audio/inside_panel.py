"""Look inside a sound: the codec's tokens, and which sign of a text sounded when, where the engine can tell."""

from __future__ import annotations

import gradio as gr

from shared.audio.picturing import pictures
from shared.outputs import AudioOutput

NOTHING = "This engine tells neither tokens nor which sign of the text sounds when."
EXPLAINED = (
    "Some models set how long each sign of the text lasts, or look at the text while they speak: a dark place then "
    "shows which sign sounds when. Others write sound as a codec's tokens, a column a moment: the first row is the "
    "coarse shape, each further one a finer correction. The colours only tell tokens apart."
)


class InsidePanel:
    """The part of a tab, folded away until it is wanted. `name` begins its elements' ids."""

    def __init__(self, name: str) -> None:
        with gr.Accordion("Look inside: tokens and timing", open=False, elem_id=f"{name}-inside-box"):
            gr.HTML(f'<div class="pg-quiet">{EXPLAINED}</div>')
            self.shown = gr.HTML("", elem_id=f"{name}-inside")


def drawn(sound: AudioOutput) -> str:
    """What is known of the sound's first parts, as HTML."""
    if not sound.inside:
        return f'<div class="pg-quiet">{NOTHING}</div>'
    parts = [f'<div class="pg-scroll">{"".join(pictures(part))}</div>' for part in sound.inside]
    return "".join(parts)
