"""Music or sounds side by side: one prompt over engines and seeds, by name or blind, each to be scored by ear."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.events import Event
from shared.requests import AudioRequest
from shared.seeds_compared import Way, compare, ways
from shared.settings import Settings
from shared.streaming import CancelToken, Emitter
from shared.tasks import Task
from shared.ui import engine_choices
from shared.ui.audio.compare_view import Row, Trial, cells
from shared.ui.audio.opinions_panel import OpinionsPanel, asking, keep
from shared.ui.jobs_panel import Owner
from shared.ui.running import PRIVATE, RunRow, Shown
from shared.ui.sessions import Runs, with_keys

SEEDS = [("one", 1), ("two", 2), ("three", 3), ("four", 4)]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What is compared. `name` begins its elements' ids.

    `ask` makes a request of a prompt and of the values of the inputs that `wire` is given; `growing` and `made` tell
    of a run (see `shared.seeds_compared`); `picture` is what is seen of it; `heard` a finished one's row.
    """

    name: str
    task: Task
    ask: Callable[..., AudioRequest]
    growing: Callable[[Iterator[Event]], Iterator[Any]]
    made: type[Any]
    picture: Callable[[Any], str]
    heard: Callable[[Row, Any, Any, Settings, Emitter], Row]
    seeds: int = 1


class TrialsPanel:
    """The part's components and events, folded away until it is wanted."""

    def __init__(self, engine: Engine, runs: Runs, store: gr.BrowserState, kind: Kind) -> None:
        self._engine, self._runs, self._kind = engine, runs, kind
        name = kind.name
        with gr.Accordion("Compare: the same prompt, other seeds or engines", open=False, elem_id=f"{name}-box"):
            with gr.Row():
                self.engines = engine_choices.several(
                    engine, kind.task, first=1, elem_id=f"{name}-engines", scale=2, min_width=200
                )
                self.seeds = gr.Radio(
                    SEEDS, value=kind.seeds, label="Seeds for each", elem_id=f"{name}-seeds", min_width=200
                )
            self.blind = gr.Checkbox(False, label="Blind: hide which is which", elem_id=f"{name}-blind")
            self.row = RunRow("Compare", name)
            self.table = gr.HTML("", elem_id=f"{name}-table")
            self.show = gr.Button("Show which is which", visible=False, elem_id=f"{name}-show")
            self.trial = gr.State(Trial(kind=kind.task))
            self.opinions = OpinionsPanel(store, kind.task, f"{name}-")

    def wire(self, prompt: Any, inputs: Sequence[Any], keys: Any, owner: Owner) -> None:
        """Connect the events. `inputs`: what `Kind.ask` is given after the prompt. `owner`: who finds again what hosted
        engines make."""
        self._owner_of = owner.of
        given = [prompt, self.engines, self.seeds, self.blind, keys, owner.token, *inputs]
        outputs = [self.trial, self.table, self.show, *self.opinions.outputs]
        self.row.wire(self._runs, self._compare, given, outputs)
        shown = [self.trial, self.table, self.show, *self.opinions.changed]
        self.show.click(_revealed, [self.trial, *self.opinions.given], shown, queue=False, **PRIVATE)
        self.opinions.wire(self.trial)

    def _compare(
        self,
        cancel: CancelToken,
        prompt: str,
        engines: list[str],
        seeds: int,
        blind: bool,
        keys: Any,
        token: Any,
        *values: Any,
    ) -> Iterator[Shown]:
        asked = self._kind.ask(prompt or "", *values)
        chosen = [engine_choices.read(value) for value in engines or []]
        wanted = ways(chosen, asked.seed, int(seeds))
        if blind:
            random.shuffle(wanted)
        settings, stopped = with_keys(self._engine.settings, keys), Emitter(lambda event: None, cancel)
        trial = Trial(text=prompt, blind=blind, hidden=blind, kind=self._kind.task)
        trial.rows = [Row(name=self._name(way), status="Waiting", seed=way.seed) for way in wanted]
        finished: set[int] = set()
        whose: dict[str, Any] = {"settings": settings, "cancel": cancel, "owner": self._owner_of(token)}
        runs = compare(self._engine, asked, wanted, self._grown, self._kind.made, **whose)
        for made in runs:
            for place, one in enumerate(made):
                if place in finished:
                    continue
                trial.rows[place] = replace(trial.rows[place], status=one.status, picture=self._kind.picture(one))
                if one.done:
                    yield Shown(_screen(trial), status=f"Making the sound of {trial.called(place)}")
                    request = wanted[place].asked(asked)
                    trial.rows[place] = self._kind.heard(trial.rows[place], one, request, settings, stopped)
                    finished.add(place)
            yield Shown(_screen(trial))
        trial.ended = True
        yield Shown(_screen(trial))

    def _grown(self, events: Iterator[Event], stop: CancelToken) -> Iterator[Any]:
        return self._kind.growing(events)

    def _name(self, way: Way) -> str:
        """Model and engine; the seed stands by itself, so that scores of one engine come together."""
        return engine_choices.named(self._engine, self._kind.task, way.model, way.variant)


def _screen(trial: Trial) -> list[Any]:
    show = gr.update(visible=trial.ended and trial.hidden and bool(trial.rows))
    return [trial, cells(trial), show, *asking(trial)]


def _revealed(trial: Trial, *given: Any) -> list[Any]:
    """The names, once the scores that were given blind are kept."""
    kept = keep(trial, *given)
    trial.hidden = False
    return [trial, cells(trial), gr.update(visible=False), *kept[:3], *asking(trial)]
