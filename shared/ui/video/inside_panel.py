"""The Look inside tab: the frames at each step, and how a clip moves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from shared.data_urls import data_url
from shared.errors import InvalidRequest
from shared.media.opening import to_part
from shared.streaming import CancelToken
from shared.ui.running import RunRow, Shown
from shared.ui.sessions import Runs
from shared.video.moving import SIDE, coloured, flow, pairs
from shared.video.reading import frames

HINT = (
    "The first frames of Make's clip. Where each is drawn from the one before, likeness falls as more is drawn anew; "
    "a steady clip is like itself once its motion is taken away."
)
MOST = 24  # frames that are looked at
STRIP = 8  # of these, in the strip of the flow


class InsidePanel:
    """The tab's components and events."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        gr.HTML(f'<div class="pg-quiet">{HINT}</div>')
        self.row = RunRow("Look at the clip", "inside")
        self.strip = gr.HTML("", elem_id="inside-strip")
        self.plot = gr.LinePlot(x="frame", y="value", color="what", height=300, visible=False, elem_id="inside-plot")

    def wire(self, film: Any) -> None:
        """Connect the events. `film`: the clip that is shown."""
        self.row.wire(self._runs, _looked, [film], [self.strip, self.plot], no_engine=True)


def _looked(cancel: CancelToken, film: str | None) -> Iterator[Shown]:
    import pandas

    if not film:
        raise InvalidRequest("There is no clip yet. Make one first.")
    yield Shown([gr.skip(), gr.skip()], status="Comparing each frame with the next")
    seen = list(frames(Path(film).read_bytes(), most=MOST))
    if len(seen) < 2:
        raise InvalidRequest("This clip has one frame only; there is nothing to compare.")
    found = pairs(seen)
    rows = [
        {"frame": pair.number + 1, "value": value, "what": what}
        for pair in found
        for what, value in (("as it is", pair.ssim), ("its motion taken away", pair.moved))
    ]
    plot = gr.LinePlot(
        pandas.DataFrame(rows),
        x="frame",
        y="value",
        color="what",
        x_title="frame",
        y_title="SSIM with the next",
        title="How like each frame is to the next",
        visible=True,
    )
    fastest = max(pair.speed for pair in found) * SIDE / 100 * 3
    yield Shown([_strip(seen, fastest), plot])


def _strip(seen: list[Any], fastest: float) -> str:
    """Frames, and below each which way it goes on to the next, as HTML."""
    every = max(1, (len(seen) - 1) // STRIP)
    cells = ""
    for number in range(0, len(seen) - 1, every):
        one, other = (frame.copy() for frame in seen[number : number + 2])
        for frame in (one, other):
            frame.thumbnail((SIDE, SIDE))
        picture, motion = (to_part(each).data_url for each in (one, coloured(flow(one, other), fastest)))
        cells += (
            f'<figure><img src="{picture}" alt="Frame {number + 1}"><img src="{motion}" '
            f'alt="Where it goes from frame {number + 1}"><figcaption>frame {number + 1}</figcaption></figure>'
        )
    wheel = data_url(to_part(_wheel()).data, "image/png")
    return (
        f'<div class="pg-figures pg-flow">{cells}</div>'
        f'<div class="pg-quiet"><img class="pg-wheel" src="{wheel}" alt=""> '
        "The colour below a frame says which way each part of it goes to the next; white stands still.</div>"
    )


def _wheel() -> Any:
    """Each direction in its colour."""
    import numpy as np

    rows, columns = np.mgrid[-32:33, -32:33].astype(np.float32)
    inside = rows**2 + columns**2 <= 32**2
    return coloured(np.stack([columns * inside, rows * inside]), 32)
