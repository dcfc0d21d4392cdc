"""Look inside, words: where in the picture the model looked for each word."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr

from shared.engine import Engine
from shared.events import Final, Progress
from shared.image.attention import heats, sizes
from shared.image.finishing import safe
from shared.image.gate import gated
from shared.outputs import AttentionMaps
from shared.settings import Settings
from shared.streaming import CancelToken
from shared.ui.image.grid import webp_url
from shared.ui.image.running import must_follow, read
from shared.ui.running import PRIVATE, RunRow, Shown
from shared.ui.sessions import Runs

if TYPE_CHECKING:
    from PIL.Image import Image

HINT = (
    "While it takes noise away, a U-Net looks from each place of the picture at every word. Bright is where it looked "
    "at a word most. Every map has a scale of its own; below it stands how much of all attention the word got. The "
    "rest went to the prompt's ends and its unused places. After Hertz et al. 2022 and Tang et al. 2023."
)
ALL = "all"


@dataclass(frozen=True)
class Looked:
    """A finished picture, and where was looked for its words."""

    picture: Image
    maps: AttentionMaps


class WordsPanel:
    """The tab's components and events."""

    def __init__(self, engine: Engine, runs: Runs) -> None:
        self._engine, self._runs = engine, runs
        self.looked = gr.State(None)
        gr.HTML(f'<div class="pg-quiet">{HINT}</div>')
        self.row = RunRow("Draw and look at the words", "words")
        self.layers = gr.Dropdown(
            [("All, averaged", ALL)], value=ALL, label="Layers", visible=False, elem_id="words-layers", interactive=True
        )
        self.maps = gr.HTML("", elem_id="words-maps")

    def wire(self, prompt: Any, picker: list[Any], settings: list[Any], keys: Any) -> None:
        """Connect the events."""
        inputs = [prompt, keys, *picker, *settings]
        self.row.wire(self._runs, self._draw, inputs, [self.looked, self.layers, self.maps])
        self.layers.input(_shown, [self.looked, self.layers], self.maps, queue=False, **PRIVATE)

    def _draw(self, cancel: CancelToken, prompt: str, *values: Any) -> Iterator[Shown]:
        asked = read(self._engine, prompt, values, keep_attention=True, num_images_per_prompt=1)
        must_follow(self._engine, asked, "keep_attention")
        request, way = asked.request, asked.way
        events = self._engine.generate(
            way.model, request, mode=way.mode, variant=way.variant, settings=asked.settings, cancel=cancel
        )
        for event in gated(events, request, asked.settings, cancel):
            if isinstance(event, Progress):
                yield Shown([gr.skip()] * 3, status=event.message)
            elif isinstance(event, Final):
                yield _ended(event, asked.settings)


def _ended(final: Final, settings: Settings) -> Shown:
    from PIL import Image

    maps, images = final.output.attention, final.output.images
    if not images or maps is None:
        return Shown([gr.skip()] * 3, note=final.receipt.unhonoured.get("keep_attention", "Stopped by you."))
    part, words = safe(images[0], settings, str(final.receipt.extra.get("unchecked", "")))
    looked = Looked(Image.open(io.BytesIO(part.data)).convert("RGB"), maps)
    choices = [("All, averaged", ALL), *((f"{rows} x {columns}", f"{rows}x{columns}") for rows, columns in sizes(maps))]
    layers = gr.update(choices=choices, value=ALL, visible=len(choices) > 2)
    return Shown([looked, layers, _shown(looked, ALL)], note=words)


def _shown(looked: Looked | None, layers: str) -> Any:
    """The picture and each word's map, with their captions, as HTML."""
    if looked is None:
        return gr.skip()
    size = None if layers == ALL else next(s for s in sizes(looked.maps) if f"{s[0]}x{s[1]}" == layers)
    maps = [(heat.picture, f"{heat.word} · {heat.share:.1%}") for heat in heats(looked.picture, looked.maps, size)]
    figures = [
        f'<figure><img src="{webp_url(picture)}" alt=""><figcaption>{escape(words)}</figcaption></figure>'
        for picture, words in [(looked.picture, "The picture"), *maps]
    ]
    return f'<div class="pg-figures">{"".join(figures)}</div>'
