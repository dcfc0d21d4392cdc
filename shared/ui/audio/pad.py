"""The map on which a sound's place or path is drawn, with the listener in its middle."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import gradio as gr

from shared.audio.space.paths import MOST_KNOTS
from shared.errors import InvalidRequest
from shared.ui.languages.scripts import read_script

_PAGE = """
<div>
  <canvas width="640" height="640" role="img" aria-label="Map of the listener from above, to draw a path on"></canvas>
  <div class="pg-pad-row"><span data-pg="told" class="pg-quiet"></span>
    <button type="button" data-pg="clear">Clear</button></div>
</div>
"""
_LOOK = """
canvas { display: block; width: 100%; max-width: 420px; aspect-ratio: 1; margin: 0 auto 6px; border-radius: 8px;
  background: var(--background-fill-secondary); color: var(--primary-600); touch-action: none; cursor: crosshair; }
.pg-pad-row { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 6px 16px; font-size: 0.9rem; }
button { padding: 2px 12px; font: inherit; cursor: pointer; border-radius: 6px; color: inherit;
  border: 1px solid var(--border-color-primary); background: var(--button-secondary-background-fill); }
"""
# The page hands over what is drawn as the first of the values.
TELL = "(...values) => { values[0] = window.pgPad ? window.pgPad.told() : '[]'; return values; }"


def build(elem_id: str) -> gr.HTML:
    """The component. It is never an output: showing it anew would wipe what is drawn."""
    script = read_script(Path(__file__).with_name("pad.js"))
    return gr.HTML("", html_template=_PAGE, css_template=_LOOK, js_on_load=script, elem_id=elem_id)


def read(told: Any) -> list[tuple[float, float]]:
    """The drawn points: metres to the right and in front. Raises `InvalidRequest` for what no page would send."""
    try:
        points = [(float(right), float(front)) for right, front in json.loads(told or "[]")]
    except (TypeError, ValueError, RecursionError):
        raise InvalidRequest("The drawn path can't be read. Clear it and draw it again.") from None
    if len(points) > MOST_KNOTS or not all(math.isfinite(n) and abs(n) < 1000 for point in points for n in point):
        raise InvalidRequest("The drawn path can't be read. Clear it and draw it again.")
    return points
