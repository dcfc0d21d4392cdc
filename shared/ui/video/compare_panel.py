"""The Compare tab: one prompt over engines and seeds, the clips playing in step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

import gradio as gr

from shared.data_urls import data_url
from shared.engine import Engine
from shared.errors import InvalidRequest
from shared.events import Event
from shared.image.gate import gated
from shared.requests import VideoRequest
from shared.seeds_compared import Way, compare, ways
from shared.settings import Settings
from shared.streaming import CancelToken
from shared.tasks import Task
from shared.typed_lists import numbers
from shared.ui import engine_choices, receipt_view
from shared.ui.jobs_panel import Owner
from shared.ui.model_picker import Picked
from shared.ui.running import RunRow, Shown, note
from shared.ui.sessions import Runs, with_keys
from shared.ui.video import film_view, shots_panel
from shared.ui.video.make_panel import asked_for
from shared.ui.video.settings_panel import NAMES, ROWS, read_row
from shared.video.filming import Filming, filmings
from shared.video.finishing import finish, previews_looked_over
from shared.video.moving import alike, pairs
from shared.video.reading import frames

HINT = "Prompt, shots and settings are those of Make. One is made after the other, so that none slows another."
VARIED = ("num_inference_steps", "guidance_scale", "strength", "wander", "step_cache", "fps")
SEEDS = [("one", 1), ("two", 2), ("three", 3)]
COMPARED = 24  # frames, the first ones, of a clip that its steadiness is measured by


class ComparePanel:
    """The tab's components and events."""

    def __init__(self, engine: Engine, runs: Runs) -> None:
        self._engine, self._runs = engine, runs
        gr.HTML(f'<div class="pg-quiet">{HINT}</div>')
        with gr.Row():
            self.engines = engine_choices.several(
                engine, Task.TEXT_TO_VIDEO, first=2, elem_id="compare-engines", scale=2, min_width=200
            )
            self.seeds = gr.Radio(SEEDS, value=1, label="Seeds for each", elem_id="compare-seeds", min_width=200)
        with gr.Row():
            names = [("nothing else", ""), *((ROWS[name][0], name) for name in VARIED)]
            self.varied = gr.Dropdown(names, value="", label="And over", elem_id="compare-varied", min_width=160)
            self.values = gr.Textbox(
                label="Its values, with commas between", max_lines=1, elem_id="compare-values", scale=2, min_width=200
            )
        self.agree = gr.Checkbox(False, label="I agree to what they charge, and to long waits", elem_id="compare-agree")
        self.row = RunRow("Compare", "compare")
        self.table = gr.HTML("", elem_id="compare-table")

    def wire(
        self, prompt: Any, shots: list[Any], picker: list[Any], settings: list[Any], keys: Any, owner: Owner
    ) -> None:
        """Connect the events. `owner`: who finds again what hosted engines make."""
        self._owner_of = owner.of
        own = [self.engines, self.seeds, self.varied, self.values, self.agree]
        inputs = [*own, owner.token, prompt, keys, *picker, *shots, *settings]
        self.row.wire(self._runs, self._compare, inputs, [self.table])

    def _compare(
        self,
        cancel: CancelToken,
        engines: list[str],
        seeds: int,
        varied: str,
        each: str,
        agreed: bool,
        token: Any,
        prompt: str,
        keys: Any,
        *values: Any,
    ) -> Iterator[Shown]:
        picked = Picked(*values[:3])
        asked = asked_for(self._engine, prompt, picked, keys, values[3 : 3 + len(shots_panel.NAMES) + len(NAMES)])
        chosen = [engine_choices.read(value) for value in engines or []]
        wanted = ways(chosen, asked.seed, int(seeds), varied, _values(varied, each))
        settings = with_keys(self._engine.settings, keys)
        if not agreed:
            self._costs_nothing(asked, wanted, settings)
        names = [self._name(way) for way in wanted]
        finished: dict[int, str] = {}
        first: Filming | None = None
        made: Sequence[Filming] = ()

        def growing(events: Iterator[Event], stop: CancelToken) -> Iterator[Filming]:
            return previews_looked_over(filmings(gated(events, asked, settings, stop)), settings)

        owner = self._owner_of(token)
        for made in compare(
            self._engine, asked, wanted, growing, Filming, settings=settings, cancel=cancel, owner=owner
        ):
            for number, one in enumerate(made):
                if one.done and number not in finished:
                    first = first or (one if one.frames else None)
                    finished[number] = likened(first, one) + shown(one, wanted[number].asked(asked), settings)
            yield Shown([table(names, made, finished)])

    def _costs_nothing(self, asked: VideoRequest, wanted: Sequence[Way], settings: Settings) -> None:
        """Raise `InvalidRequest` with what each will cost, where one does."""
        quoted = [self._engine.quote(way.model, asked, variant=way.variant, settings=settings) for way in wanted]
        if words := [f"{way.model}: {each.words}" for way, each in zip(wanted, quoted, strict=True) if each.asks]:
            raise InvalidRequest(f"{' '.join(words)} Agree to that above, or leave these engines out.")

    def _name(self, way: Way) -> str:
        called = engine_choices.named(self._engine, Task.TEXT_TO_VIDEO, way.model, way.variant)
        own = [f"{ROWS[name][0]}: {value}" for name, value in way.changes.items()]
        return " · ".join([called, f"seed {way.seed}", *own])


def _values(name: str, text: str) -> list[Any]:
    """The values of a setting. Raises `InvalidRequest` where there are none, or one can't be read."""
    values = numbers(text or "") if name else []
    if name and not values:
        raise InvalidRequest(f"Write the values of “{ROWS[name][0]}”, as in: 0, 0.1")
    return [read_row(name, part) for part in values]


def likened(first: Filming | None, other: Filming) -> str:
    """How like a clip is to the first, frame by frame, as HTML; nothing for the first, or one of another length."""
    if first is None or other is first or len(first.frames) != len(other.frames):
        return ""
    like = alike(first.frames[:COMPARED], other.frames[:COMPARED])
    return "" if like is None else f'<div class="pg-quiet">Like the first clip: SSIM {like:.3f}</div>'


def shown(made: Filming, asked: VideoRequest, settings: Settings) -> str:
    """A finished clip and its figures, as HTML."""
    problem = note(str(made.error), "pg-error") if made.error else ""
    if made.receipt is None or made.output is None or not made.output.video:
        return problem or note("Stopped before its first frame.")
    finished = finish(made.output, made.receipt, asked, settings)
    url = data_url(finished.data, finished.media_type)
    video = f'<video src="{url}" autoplay loop muted playsinline controls></video>'
    between = pairs(list(frames(finished.data, most=COMPARED)))
    steady = ""
    if between:
        likeness, speed = (sum(getattr(pair, name) for pair in between) / len(between) for name in ("ssim", "speed"))
        steady = (
            f'<div class="pg-quiet">Each frame like the next: SSIM {likeness:.3f} · '
            f"moves {speed:.2f}% of the side from one to the next</div>"
        )
    words = note(finished.words, "pg-warn") if finished.words else ""
    return f"{video}{words}{problem}{steady}{receipt_view.metrics(made.receipt)}"


def table(names: Sequence[str], made: Sequence[Filming], finished: dict[int, str]) -> str:
    """The clips beside each other as HTML."""
    cells = "".join(
        f'<section class="pg-tune"><h4>{escape(name)}</h4>{finished.get(number) or film_view.growing(one)}</section>'
        for number, (name, one) in enumerate(zip(names, made, strict=True))
    )
    return f'<div class="pg-tunes">{cells}</div>'
