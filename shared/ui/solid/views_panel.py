"""Pictures of a thing's other sides, shown where the chosen engine looks at them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.media.opening import open_picture, to_part
from shared.requests.solid import VIEWS
from shared.tasks import Task
from shared.ui.following import Fitted, Following
from shared.ui.model_picker import Picked

NAMES = tuple(VIEWS)


class ViewsPanel(Fitted):
    """The controls by name, in the order of `NAMES`, fitted to the model that is picked first."""

    def __init__(self, engine: Engine, picked: Picked) -> None:
        super().__init__(engine, Task.TEXT_TO_3D, NAMES, _fit)
        fitted = self.fitted(picked, engine.settings)
        with gr.Row():
            for name, side in VIEWS.items():
                self.controls[name] = gr.Image(
                    label=f"Its {side}",
                    type="filepath",  # opened under our own limits
                    image_mode=None,
                    height=150,
                    min_width=110,
                    sources=["upload", "clipboard"],
                    elem_id=f"view-{name}",
                    **fitted[name],
                )


def _fit(name: str, found: Following | None) -> dict[str, Any]:
    return {"visible": found is not None and found.reason(name) is None}


def read(paths: Sequence[str | None], followed: Mapping[str, bool]) -> dict[str, Any]:
    """The pictures that there are, of the sides that are looked at. Raises `InvalidRequest`."""
    given = zip(NAMES, paths, strict=True)
    return {name: to_part(open_picture(path)) for name, path in given if path and followed[name]}
