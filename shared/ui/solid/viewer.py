"""A viewer of our own for several solids, turned together by one camera: texture, clay, normals or wires."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from shared.data_urls import data_url
from shared.solid.mending import thinned
from shared.solid.mesh import Solid
from shared.solid.rendering import reach
from shared.ui.languages.scripts import read_script

MOST = 60_000  # triangles that are sent to the page; of more, a thinned copy is
_SCRIPT = Path(__file__).with_name("viewer.js")
_LOOK = """
.pg-views { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(260px, 100%), 1fr)); gap: 12px; }
figure { margin: 0; min-width: 0; max-width: 520px; }
canvas { display: block; width: 100%; aspect-ratio: 1; border-radius: 6px; touch-action: none; cursor: grab;
  border: 1px solid var(--border-color-primary); background: #fff; }
canvas:active { cursor: grabbing; }
canvas:focus-visible { outline: 2px solid var(--primary-500); }
figcaption { margin-top: 6px; font-size: 0.9rem; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.pg-views-row { display: flex; flex-wrap: wrap; gap: 6px; margin-bottom: 8px; }
.pg-views-row button { padding: 3px 12px; font: inherit; font-size: 0.9rem; cursor: pointer; border-radius: 6px;
  border: 1px solid var(--border-color-primary); background: var(--button-secondary-background-fill); color: inherit; }
.pg-views-row button { margin: 0; }
.pg-views-row button[aria-pressed=true] { border-color: var(--primary-600); font-weight: 600; }
"""


@dataclass(frozen=True)
class Sight:
    """A solid to be shown, its name, and what is told of it."""

    solid: Solid
    name: str
    told: str = ""


def build(elem_id: str) -> gr.HTML:
    """The component; its value is what `told` gives."""
    return gr.HTML(
        "",
        html_template='<div data-pg="views"></div>',
        css_template=_LOOK,
        js_on_load=read_script(_SCRIPT),
        elem_id=elem_id,
    )


def told(sights: Sequence[Sight]) -> str:
    """The solids as JSON: each in a ball of radius 1, in whole numbers, base64."""
    return json.dumps([_packed(each) for each in sights])


def _packed(sight: Sight) -> dict[str, Any]:
    import numpy

    solid = thinned(sight.solid, MOST)
    middle, radius = reach(solid)
    places = numpy.rint((solid.vertices - middle) / radius * 32767).clip(-32767, 32767)
    packed: dict[str, Any] = {"name": sight.name, "told": sight.told, "places": _base64(places, "<i2")}
    packed["faces"] = _base64(solid.faces, "<u4")
    if solid.uv is not None and solid.texture is not None:
        packed |= {"uv": _base64(numpy.rint(solid.uv * 65535), "<u2"), "texture": data_url(solid.texture, "image/png")}
        packed |= {name: data_url(data, "image/png") for name, data in _baked(solid).items()}
        if solid.seams is not None:
            packed["seams"] = _base64(solid.seams, "<u4")
    elif solid.colours is not None:
        packed["colours"] = _base64(solid.colours, "u1")
    return packed


def _baked(solid: Solid) -> dict[str, bytes]:
    return {name: data for name, data in (("bumps", solid.bumps), ("shade", solid.shade)) if data is not None}


def _base64(values: Any, kind: str) -> str:
    return base64.b64encode(values.astype(kind).tobytes()).decode("ascii")
