"""Shows a skeleton that moves: drawn in the browser, played, and turned by dragging."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import gradio as gr

from shared.motion.skeleton import Motion
from shared.ui.languages.scripts import read_script

_SCRIPT = Path(__file__).with_name("player.js")
_LOOK = """
canvas { display: block; width: 100%; height: 380px; border-radius: 6px; touch-action: pan-y; cursor: grab;
  border: 1px solid var(--border-color-primary); background: var(--background-fill-primary); }
canvas:focus-visible { outline: 2px solid var(--primary-500); }
.pg-motion-row { display: flex; gap: 12px; align-items: center; margin-top: 6px; }
.pg-motion-row input { flex: 1; min-width: 0; accent-color: var(--primary-600); }
.pg-motion-row button { padding: 3px 14px; font: inherit; cursor: pointer; border-radius: 6px; color: inherit;
  border: 1px solid var(--border-color-primary); background: var(--button-secondary-background-fill); }
.pg-motion-row span { font-variant-numeric: tabular-nums; min-width: 4.5em; text-align: right; }
"""


def build(elem_id: str) -> gr.HTML:
    """The component; its value is what `told` gives."""
    return gr.HTML(
        "",
        html_template='<div data-pg="motion"></div>',
        css_template=_LOOK,
        js_on_load=read_script(_SCRIPT),
        elem_id=elem_id,
    )


def told(motion: Motion) -> str:
    """The motion as JSON: places of the joints in millimetres, 16 bits each, base64; within 32 m of the origin."""
    import numpy

    places = numpy.rint(motion.places() * 1000).clip(-32767, 32767).astype("<i2")
    return json.dumps(
        {"fps": motion.fps, "parents": motion.parents, "places": base64.b64encode(places.tobytes()).decode("ascii")}
    )
