"""Connects what every Space has: choosing an engine changes the other choices, the note, and the settings."""

from __future__ import annotations

from typing import Any, Protocol

import gradio as gr

from shared.engine import Engine
from shared.settings import Settings
from shared.tasks import Task
from shared.ui import model_picker
from shared.ui.keys_panel import KeysPanel
from shared.ui.models_panel import ModelsPanel
from shared.ui.sessions import with_keys

PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "queue": False}


class Settable(Protocol):
    """A Space's settings: controls that an engine may not be able to follow."""

    @property
    def inputs(self) -> list[Any]:
        """The controls."""

    def for_engine(self, model: str, mode: str, variant: str | None, settings: Settings) -> list[Any]:
        """An update for each control."""


def connect(
    engine: Engine,
    task: Task,
    picker: model_picker.Picker,
    settings: Settable,
    keys: KeysPanel,
    models: ModelsPanel,
    models_tab: gr.Tab,
) -> None:
    """Choosing an engine changes the other choices, the note, and what the settings can do."""

    def fit(event: Any) -> Any:
        return event.then(
            lambda k, m, where, v: settings.for_engine(m, where, v, with_keys(engine.settings, k)),
            [keys.state, *picker.inputs],
            settings.inputs,
            **PRIVATE,
        )

    def on_mode(mode: str, k: Any, listed: Any) -> Any:
        return model_picker.on_mode(engine.with_catalog(listed), task, mode, with_keys(engine.settings, k))

    def on_model(model: str, mode: str, k: Any) -> Any:
        return model_picker.on_model(engine, task, model, mode, with_keys(engine.settings, k))

    def on_keys(k: Any, listed: Any, *picked: Any) -> Any:
        chosen = model_picker.Picked(*picked)
        return model_picker.on_keys(engine.with_catalog(listed), task, chosen, with_keys(engine.settings, k))

    def choose_again(event: Any) -> Any:
        return event.then(on_keys, [keys.state, models.listed, *picker.inputs], [model, note], **PRIVATE)

    model, mode, variant, note = picker.model, picker.mode, picker.variant, picker.note
    around = [mode, keys.state, models.listed]
    fit(mode.input(on_mode, around, [model, variant, note], **PRIVATE))
    fit(model.input(on_model, [model, mode, keys.state], [mode, variant, note], **PRIVATE))
    fit(variant.input(lambda: None, **PRIVATE))
    keys.wire(choose_again)
    models.wire(keys.state, models_tab, choose_again)
