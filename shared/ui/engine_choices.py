"""Engines to choose several of: a model and one way to run it, as a choice of a dropdown."""

from __future__ import annotations

from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.tasks import Mode, Task
from shared.ui.model_picker import engine_label

_SEPARATOR = "\t"  # between a model's id and a variant's key in a choice's value


def ready(engine: Engine, task: Task, *, hosted: bool = True) -> list[tuple[str, str]]:
    """What a person reads and the value, of each way to run a model of the task that can be run now.

    `hosted`: those of providers too.
    """
    return [
        (f"{choice.spec.name} · {engine_label(choice)}", value_of(choice.spec.id, choice.variant.key))
        for choice in engine.choices(task)
        if choice.reason is None and (hosted or choice.variant.mode != Mode.HOSTED)
    ]


def several(
    engine: Engine, task: Task, *, first: int, hosted: bool = True, label: str = "Engines", **layout: Any
) -> gr.Dropdown:
    """Where several of them are chosen; so many of the first are to begin with."""
    choices = ready(engine, task, hosted=hosted)
    return gr.Dropdown(choices, value=[value for _, value in choices[:first]], multiselect=True, label=label, **layout)


def value_of(model: str, variant: str) -> str:
    """The value of a choice. `variant`: a `Variant.key`."""
    return f"{model}{_SEPARATOR}{variant}"


def read(value: str) -> tuple[str, str]:
    """The model's id and the variant's key of a value."""
    model, _, variant = value.partition(_SEPARATOR)
    return model, variant


def named(engine: Engine, task: Task, model: str, variant: str) -> str:
    """What a person reads of that way to run the model."""
    spec = engine.find(model, task=task)
    labels = [engine_label(choice) for choice in engine.choices_for(spec) if choice.variant.key == variant]
    return " · ".join([spec.name, *labels])
