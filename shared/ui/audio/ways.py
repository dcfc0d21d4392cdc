"""The engines that speak here, each with its voices, as choices of a list."""

from __future__ import annotations

from shared.audio.comparing import Way
from shared.engine import Choice, Engine
from shared.errors import InvalidRequest
from shared.tasks import Task
from shared.ui.model_picker import engine_label

_SEPARATOR = "\t"  # between a model's id, a variant's key and a voice in a choice's value


def ways_here(engine: Engine) -> list[tuple[str, str]]:
    """A label and a choice's value for each voice that can speak here, in the order of the catalogue."""
    return [way for choice in engine.choices(Task.TEXT_TO_SPEECH) if choice.reason is None for way in _ways(choice)]


def _ways(choice: Choice) -> list[tuple[str, str]]:
    from shared.backends import get_backend

    name, value = way_name(choice.spec.name, engine_label(choice)), [choice.spec.id, choice.variant.key]
    voices = get_backend(choice.variant.backend).capabilities(choice.variant).voices
    if not voices:
        return [(name, _SEPARATOR.join(value))]
    return [(f"{name} · {voice.name}", _SEPARATOR.join([*value, voice.id])) for voice in voices]


def way_name(model: str, label: str) -> str:
    """A model and its engine, for people. An engine that is called as its model is named once."""
    return label if label.startswith(model) else f"{model} · {label}"


def read_way(value: str) -> Way:
    """What was chosen. Raises `InvalidRequest`."""
    model, key, *voice = (value or "").split(_SEPARATOR) + [""] * (_SEPARATOR not in (value or ""))
    if not key:
        raise InvalidRequest("Choose engines from the list.")
    return Way(model, key, voice[0] if voice else None)
