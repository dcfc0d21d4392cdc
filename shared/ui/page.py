"""What every Space's page has: its head, the choice of an engine, tabs that end in Models, and the visitor's keys."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import gradio as gr

from shared.engine import Engine
from shared.settings import Settings
from shared.tasks import Task
from shared.ui import model_picker
from shared.ui.keys_panel import KeysPanel
from shared.ui.models_panel import ModelsPanel
from shared.ui.sessions import Runs, with_keys

PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "queue": False}
# Seconds: how often files that visitors made or sent are looked through, and how old they get.
CLEARED = (3600, 86400)


class Settable(Protocol):
    """A Space's settings: controls that an engine may not be able to follow."""

    @property
    def inputs(self) -> list[Any]:
        """The controls."""

    def for_engine(self, model: str, mode: str, variant: str | None, settings: Settings) -> list[Any]:
        """An update for each control."""


@contextmanager
def open_page(engine: Engine, task: Task, title: str, words: str) -> Iterator[Page]:
    """A Space's page, to be filled in the block: first `tabs`, then `side`, then `connect`.

    `engine` may be shared with other Spaces.
    """
    named = f"{title} · Generative-AI playgrounds"
    with gr.Blocks(title=named, fill_width=False, analytics_enabled=False, delete_cache=CLEARED) as demo:
        gr.HTML(f'<div class="pg-head"><h1>{title}</h1><p>{words}</p></div>')
        picker = model_picker.build(engine, task)
        with gr.Row(equal_height=False):
            yield Page(engine, task, demo, picker)


class Page:
    """The parts that every Space has; `shown`, its tabs, is there from `tabs` on, and `keys` once `side` has ended."""

    keys: KeysPanel
    shown: gr.Tabs
    _models: ModelsPanel
    _models_tab: gr.Tab

    def __init__(self, engine: Engine, task: Task, demo: gr.Blocks, picker: model_picker.Picker) -> None:
        self._engine, self._task = engine, task
        self.demo, self.picker, self.runs = demo, picker, Runs()

    @contextmanager
    def tabs(self) -> Iterator[None]:
        """The wide column: the Space's own tabs, then Models."""
        with gr.Column(scale=3, min_width=320), gr.Tabs() as self.shown:
            yield
            with gr.Tab("Models", id="models") as self._models_tab:
                self._models = ModelsPanel(self._engine, self._task)

    @contextmanager
    def side(self) -> Iterator[None]:
        """The narrow column: what the Space puts there, then the keys."""
        with gr.Column(scale=1, min_width=280):
            yield
            with gr.Accordion("Your keys", open=False):
                self.keys = KeysPanel(self._engine.settings)

    def connect(self, settings: Settable) -> None:
        """Choosing an engine changes the other choices, the note, and what the settings can do."""
        engine, task, keys, listed = self._engine, self._task, self.keys.state, self._models.listed
        model, mode, variant, note = self.picker.model, self.picker.mode, self.picker.variant, self.picker.note

        def fit(event: Any) -> Any:
            return event.then(
                lambda k, m, where, v: settings.for_engine(m, where, v, seen(k)),
                [keys, *self.picker.inputs],
                settings.inputs,
                **PRIVATE,
            )

        def seen(k: Any) -> Settings:
            return with_keys(engine.settings, k)

        def on_mode(mode: str, k: Any, listed: Any) -> Any:
            return model_picker.on_mode(engine.with_catalog(listed), task, mode, seen(k))

        def on_model(model: str, mode: str, k: Any) -> Any:
            return model_picker.on_model(engine, task, model, mode, seen(k))

        def on_keys(k: Any, listed: Any, *picked: Any) -> Any:
            return model_picker.on_keys(engine.with_catalog(listed), task, model_picker.Picked(*picked), seen(k))

        def choose_again(event: Any) -> Any:
            return event.then(on_keys, [keys, listed, *self.picker.inputs], [model, note], **PRIVATE)

        fit(mode.input(on_mode, [mode, keys, listed], [model, variant, note], **PRIVATE))
        fit(model.input(on_model, [model, mode, keys], [mode, variant, note], **PRIVATE))
        fit(variant.input(lambda: None, **PRIVATE))
        self.keys.wire(choose_again)
        self._models.wire(keys, self._models_tab, choose_again)
