"""The Compare tab: one prompt or picture over engines and seeds, shown side by side and turned together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from shared.backends import get_backend
from shared.comparing import in_turn
from shared.engine import Engine
from shared.errors import InvalidRequest
from shared.image.gate import gated
from shared.requests import MOST_SEED, SolidRequest
from shared.settings import Settings
from shared.solid.finishing import finish
from shared.solid.making import Making, makings
from shared.streaming import CancelToken
from shared.tasks import Task
from shared.typed_lists import parts
from shared.ui import engine_choices
from shared.ui.model_picker import Picked
from shared.ui.reading import read_seed
from shared.ui.running import RunRow, Shown
from shared.ui.sessions import Runs, with_keys
from shared.ui.solid import viewer
from shared.ui.solid.make_panel import asked_for
from shared.ui.solid.settings_panel import NAMES
from shared.ui.solid.viewer import Sight

MOST = 6  # solids at once: browsers hold no more than 16 pictures of WebGL
HINT = "Each is made with the settings at the side. Turn one, and all turn."


@dataclass(frozen=True)
class Way:
    """An engine and a seed (None: the one in the settings), and the words for them."""

    picked: Picked
    seed: int | None
    name: str


class ComparePanel:
    """The tab's components and events."""

    def __init__(self, engine: Engine, runs: Runs) -> None:
        self._engine, self._runs = engine, runs
        gr.HTML(f'<div class="pg-quiet">{HINT}</div>')
        with gr.Row():
            with gr.Column(scale=3, min_width=260):
                self.prompt = gr.Textbox(label="What to make", value="a mushroom", lines=2, elem_id="compare-prompt")
                # What a provider charges for is made under Make, where its cost is agreed to.
                self.engines = engine_choices.several(
                    engine, Task.TEXT_TO_3D, first=1, hosted=False, elem_id="compare-engines"
                )
                self.seeds = gr.Textbox(
                    label="Seeds", value="7, 8", max_lines=1, max_length=80, elem_id="compare-seeds",
                    info="Several, with commas between them. Blank: the one at the side.",
                )  # fmt: skip
            with gr.Column(scale=2, min_width=200):
                self.source = gr.Image(
                    label="Or a picture to lift", type="filepath", image_mode=None, height=190,
                    sources=["upload", "clipboard"], elem_id="compare-source",
                )  # fmt: skip
        self.row = RunRow("Compare", "compare")
        self.views = viewer.build("compare-views")

    def wire(self, picker: list[Any], settings: list[Any], keys: Any) -> None:
        """Connect the events."""
        inputs = [self.prompt, self.engines, self.seeds, self.source, keys, *settings]
        self.row.wire(self._runs, self._compare, inputs, [self.views])

    def _compare(
        self,
        cancel: CancelToken,
        prompt: str,
        engines: list[str],
        seeds: str,
        source: str | None,
        keys: Any,
        *values: Any,
    ) -> Iterator[Shown]:
        settings = with_keys(self._engine.settings, keys)
        ways = self._ways(engines, read_seeds(seeds))
        asked = [self._asked(way, settings, prompt, source, values) for way in ways]
        runs = [self._run(way, each, settings) for way, each in zip(ways, asked, strict=True)]
        shown: list[Making] = []
        sights: dict[int, Sight] = {}
        failed: list[str] = []
        for made in in_turn(runs, Making(), lambda error: Making(error=error), cancel):
            for number, making in enumerate(made):
                new = number >= len(shown) or shown[number] is not making
                if new and making.done:
                    self._ended(number, making, ways[number], asked[number], settings, sights, failed)
            changed = sum(m.done for m in made) != sum(m.done for m in shown)
            shown = made
            views = viewer.told([sights[n] for n in sorted(sights)]) if changed else gr.skip()
            going = next((m.status for m in reversed(made) if m.status and not m.done), "")
            done = sum(m.done for m in made)
            yield Shown([views], status=f"{done + 1} of {len(ways)} · {going}" if done < len(ways) else "")
        yield Shown([gr.skip()], note="\n".join(failed))

    def _ended(
        self,
        number: int,
        making: Making,
        way: Way,
        asked: SolidRequest,
        settings: Settings,
        sights: dict[int, Sight],
        failed: list[str],
    ) -> None:
        """Keep what one run made for the viewer, or why it made nothing."""
        if making.error:
            failed.append(f"{way.name}: {making.error}")
        elif making.output is not None and making.output.solid is not None and making.receipt is not None:
            finished = finish(making.output, making.receipt, asked, settings)
            sights[number] = Sight(finished.solid, way.name, figures_of(finished.receipt))

    def _ways(self, engines: list[str], seeds: list[int | None]) -> list[Way]:
        found = []
        for value in engines or []:
            model, key = engine_choices.read(value)
            spec = self._engine.find(model, task=Task.TEXT_TO_3D)
            variant = next((each for each in spec.variants if each.key == key), None)
            if variant is None:
                raise InvalidRequest(f"{spec.name} has no such engine. Choose the engines again.")
            picked = Picked(model, variant.mode.value, key)
            name = engine_choices.named(self._engine, Task.TEXT_TO_3D, model, key)
            drawn = "seed" in get_backend(variant.backend).capabilities(variant).parameters
            for seed in seeds if drawn else seeds[:1]:
                label = name + (f", seed {seed}" if seed is not None and drawn else "")
                found.append(Way(picked, seed if drawn else None, label))
        if not 0 < len(found) <= MOST:
            raise InvalidRequest(f"Choose 1 to {MOST} in all; engines times seeds make {len(found)}.")
        return found

    def _asked(self, way: Way, settings: Settings, prompt: str, source: str | None, values: Any) -> SolidRequest:
        asked = asked_for(self._engine, way.picked, settings, prompt, source, values[: len(NAMES)])
        return asked if way.seed is None else replace(asked, seed=way.seed)

    def _run(self, way: Way, asked: SolidRequest, settings: Settings) -> Callable[[CancelToken], Iterator[Making]]:
        def run(cancel: CancelToken) -> Iterator[Making]:
            picked = way.picked
            events = self._engine.generate(
                picked.model, asked, variant=picked.variant or None, settings=settings, cancel=cancel
            )
            return makings(gated(events, asked, settings, cancel))

        return run


def figures_of(receipt: Any) -> str:
    """A solid's figures in a line."""
    extra, seconds = receipt.extra, receipt.seconds
    figures = [
        f"{seconds.total - seconds.load - seconds.queue:.1f} s",
        f"{extra['triangles']:,} triangles",
        f"{extra['volume_cm3']:.1f} cm³" if "volume_cm3" in extra else "not closed",
        f"outline {extra['outline_agreement']:.1%}" if "outline_agreement" in extra else "",
    ]
    return " · ".join(filter(None, figures))


def read_seeds(text: str) -> list[int | None]:
    """The seeds with commas between them; none at all: one that is left open. Raises `InvalidRequest`."""
    seeds = [read_seed(part) for part in parts(text)]
    if any(seed >= MOST_SEED for seed in seeds):
        raise InvalidRequest(f"A seed is below {MOST_SEED:,}. Lower it.")
    return [*seeds] or [None]
