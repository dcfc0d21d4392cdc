"""Look inside, CLIP over time: how well each frame fits the words, and how like it is to the next in meaning."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.errors import InvalidRequest
from shared.image.measuring import clip
from shared.media.opening import to_part
from shared.streaming import CancelToken, Emit
from shared.ui.running import RunRow, Shown, done_meanwhile
from shared.ui.sessions import Runs
from shared.video.reading import sampled

HINT = "By a CLIP model of the Hub, or of a folder of this machine; it is fetched at its first use. None comes along."
MOST = 24  # frames that are looked at


class ClipPanel:
    """The tab's components and events."""

    def __init__(self, engine: Engine, runs: Runs) -> None:
        self._engine, self._runs = engine, runs
        gr.HTML(f'<div class="pg-quiet">{HINT}</div>')
        self.model = gr.Textbox(clip.USUAL, label="CLIP model", max_lines=1, elem_id="clip-model")
        self.row = RunRow("Measure", "clip")
        self.plot = gr.LinePlot(x="frame", y="value", color="what", height=300, visible=False, elem_id="clip-plot")

    def wire(self, film: Any, prompt: Any) -> None:
        """Connect the events. `film`: the clip that is shown; `prompt`: what it should show."""
        self.row.wire(self._runs, self._measured, [film, prompt, self.model], [self.plot], no_engine=True)

    def _measured(self, cancel: CancelToken, film: str | None, prompt: str, name: str) -> Iterator[Shown]:
        import pandas

        if not film:
            raise InvalidRequest("There is no clip yet. Make one first.")
        parts = [to_part(frame) for frame in sampled(Path(film).read_bytes(), MOST)]

        def work(emit: Emit) -> tuple[Any, Any]:
            model = clip.load(name or clip.USUAL, self._engine.settings, emit)
            return model.pictures(parts, emit), model.words(prompt) if (prompt or "").strip() else None

        measured = yield from done_meanwhile(work, "Getting CLIP ready", cancel, 1)
        if measured is None:
            yield Shown([gr.skip()], note="Stopped by you.")
            return
        seen, words = measured
        lines = {"like the next": [100 * float(one @ other) for one, other in pairwise(seen)]}
        if words is not None:
            lines["fits the words"] = clip.score(seen, words)
        rows = [
            {"frame": number, "value": value, "what": what}
            for what, values in lines.items()
            for number, value in enumerate(values, 1)
        ]
        plot = gr.LinePlot(
            pandas.DataFrame(rows), x="frame", y="value", color="what", x_title="frame", y_title="100 cos",
            title="CLIP over time", visible=True,
        )  # fmt: skip
        yield Shown([plot])
