"""The three controls that choose an engine, and the words beside them. Every Space has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from shared.backends import BACKENDS
from shared.catalog import ModelSpec
from shared.engine import Choice, Engine
from shared.errors import InferenceError
from shared.settings import Settings
from shared.tasks import Mode, Task

MODES = [(mode.label, mode.value) for mode in (Mode.QUANTIZED, Mode.LOCAL, Mode.HOSTED)]
HINT = "Pick one, or paste a Hub id (owner/name), a .gguf path, provider:model, or model@http://server/v1"


@dataclass(frozen=True)
class Picked:
    """What the controls say. `variant` is a `Variant.key`."""

    model: str
    mode: str
    variant: str | None


@dataclass(frozen=True)
class Picker:
    """The controls, in the order of `Picked`'s fields, and the note under them."""

    model: gr.Dropdown
    mode: gr.Radio
    variant: gr.Dropdown
    note: gr.HTML

    @property
    def inputs(self) -> list[Any]:
        """The controls whose values make a `Picked`."""
        return [self.model, self.mode, self.variant]

    @property
    def first(self) -> Picked:
        """What they say when the page opens."""
        return Picked(self.model.value or "", self.mode.value, self.variant.value)


def build(engine: Engine, task: Task, prefix: str = "") -> Picker:
    """Make the controls, set to the first model that runs here. `prefix`: what their element ids begin with."""
    mode = first_mode(engine, task)
    models = model_choices(engine, task, mode, engine.settings)
    first = models[0][1] if models else None
    with gr.Row():
        with gr.Column(scale=4, min_width=300):
            mode_radio = gr.Radio(MODES, value=mode.value, label="Where it runs", elem_id=f"{prefix}mode")
        with gr.Column(scale=5, min_width=300), gr.Row():
            model = gr.Dropdown(
                models,
                value=first,
                label="Model",
                allow_custom_value=True,
                elem_id=f"{prefix}model",
                min_width=220,
                scale=3,
            )
            variants = variant_choices(engine, task, first, mode, engine.settings) if first else []
            variant = gr.Dropdown(
                variants,
                value=variants[0][1] if variants else None,
                label="Engine",
                elem_id=f"{prefix}engine",
                min_width=140,
                scale=2,
            )
    note = gr.HTML(describe(engine, task, first or "", mode, None, engine.settings), elem_id=f"{prefix}engine-note")
    return Picker(model, mode_radio, variant, note)


def first_mode(engine: Engine, task: Task) -> Mode:
    """The kind of the first engine in the catalogue that runs here; of the first of all where none does."""
    choices = engine.choices(task)
    ready = (choice.variant.mode for choice in [*(c for c in choices if c.reason is None), *choices])
    return next(ready, Mode.QUANTIZED)


def model_choices(engine: Engine, task: Task, mode: Mode, settings: Settings) -> list[tuple[str, str]]:
    """The models that have an engine of that kind: those that run here first, the others marked."""
    by_model: dict[str, list[Choice]] = {}
    for choice in engine.choices(task, settings):
        if choice.variant.mode == mode:
            by_model.setdefault(choice.spec.id, []).append(choice)
    rows = [(min(c.reason is not None for c in choices), choices[0].spec) for choices in by_model.values()]
    rows.sort(key=lambda row: (row[1].retired, row[0]))
    return [(_marked(spec, cannot, mode), spec.id) for cannot, spec in rows]


def _marked(spec: ModelSpec, cannot: bool, mode: Mode) -> str:
    if spec.retired:
        return f"{spec.name} (retired)"
    missing = "needs a key" if mode == Mode.HOSTED else "can't run here"
    return f"{spec.name} ({missing})" if cannot else spec.name


def variant_choices(engine: Engine, task: Task, model: str, mode: Mode, settings: Settings) -> list[tuple[str, str]]:
    """The model's engines of that kind, as label and `Variant.key`."""
    try:
        spec = engine.find(model, settings, task)
    except InferenceError:
        return []
    rows = [c for c in engine.choices_for(spec, settings) if c.variant.mode == mode]
    rows.sort(key=lambda choice: choice.reason is not None)
    return [(engine_label(choice), choice.variant.key) for choice in rows]


def engine_label(choice: Choice) -> str:
    """For example `llama.cpp · Q4_1`."""
    how = choice.variant.quantization or (choice.variant.dtype if choice.variant.dtype != "auto" else "")
    endpoint = choice.variant.options.get("endpoint") or choice.variant.options.get("provider") or ""
    return " · ".join(part for part in (BACKENDS[choice.variant.backend].label, how, endpoint) if part)


def describe(engine: Engine, task: Task, model: str, mode: Mode, variant: str | None, settings: Settings) -> str:
    """The line under the controls, as HTML: what the model is, or why it can't run and what would mend that."""
    from html import escape

    if not model:
        return f'<div class="pg-quiet">{HINT}</div>'
    try:
        spec = engine.find(model, settings, task)
        plan = engine.plan(spec, mode, variant, settings)
    except InferenceError as error:
        return f'<div class="pg-note pg-error">{escape(str(error))}</div>'
    if not plan.candidates:
        reasons = "<br>".join(escape(r.reason) for r in plan.refused) or "It has no engine of that kind."
        return f'<div class="pg-note pg-warn" role="status">{reasons}</div>'
    badge = '<span class="pg-badge">small starter model</span> ' if spec.starter else ""
    summary = f"{escape(spec.summary)} " if spec.summary else ""
    return f'<div class="pg-quiet">{badge}{summary}Licence: {escape(spec.license)}.</div>'


def on_mode(engine: Engine, task: Task, mode: str, settings: Settings) -> tuple[Any, Any, str]:
    """New choices for the model and engine controls, and the note, when another kind is chosen."""
    models = model_choices(engine, task, Mode(mode), settings)
    first = models[0][1] if models else ""
    variants = variant_choices(engine, task, first, Mode(mode), settings)
    value = variants[0][1] if variants else None
    note = describe(engine, task, first, Mode(mode), value, settings)
    return gr.update(choices=models, value=first), gr.update(choices=variants, value=value), note


def on_keys(engine: Engine, task: Task, picked: Picked, settings: Settings) -> tuple[Any, str]:
    """The list of models and the note when the keys or the providers' lists have changed.

    The choice itself stays as it is: another model in its place might cost money.
    """
    models = model_choices(engine, task, Mode(picked.mode), settings)
    return gr.update(choices=models), describe(
        engine, task, picked.model or "", Mode(picked.mode), picked.variant, settings
    )


def on_model(engine: Engine, task: Task, model: str, mode: str, settings: Settings) -> tuple[Any, Any, str]:
    """The kind, the engine choices and the note when another model is chosen or pasted.

    A model without an engine of the present kind moves the switch to its own first kind.
    """
    kind = Mode(mode)
    try:
        modes = [v.mode for v in engine.find(model or "", settings, task).variants]
    except InferenceError:
        modes = []
    if modes and kind not in modes:
        kind = modes[0]
    variants = variant_choices(engine, task, model or "", kind, settings)
    value = variants[0][1] if variants else None
    note = describe(engine, task, model or "", kind, value, settings)
    return kind.value, gr.update(choices=variants, value=value), note
