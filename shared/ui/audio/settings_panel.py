"""The settings of speech: each honest about whether the chosen engine can follow it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.errors import InvalidRequest
from shared.tasks import Task
from shared.ui.following import Fitted, Following
from shared.ui.lessons_panel import filled
from shared.ui.model_picker import Picked
from shared.ui.reading import read_seed

OWN = ("Model's own", "")
# name -> (label, lowest, highest, step, the value that changes nothing, what it does)
SLIDERS: dict[str, tuple[str, float, float, float, float, str]] = {
    "speed": ("Speed", 0.5, 2.0, 0.05, 1.0, "1 is the voice's own pace, 2 twice as fast."),
}
# Sent only where a person has moved them: the model's own value isn't known here.
OPTIONAL: dict[str, tuple[str, str]] = {
    "temperature": ("Temperature", "Blank is the model's own. Higher is livelier, and stumbles more."),
    "guidance_scale": ("Guidance", "Blank is the model's own. How closely the text is followed."),
}
INFOS = {
    "voice": "",
    "language": "A tag such as en or pt-BR, for models that must be told.",
    "speakers": "For a script: a line each, a name and a voice, as in Ann: heart",
    "instructions": "How to speak, for engines that read this: cheerful, whispering, slow…",
    "seed": "Blank draws a new one each time; the receipt names it.",
    **{name: row[5] for name, row in SLIDERS.items()},
    **{name: row[1] for name, row in OPTIONAL.items()},
}
NAMES = ("voice", *SLIDERS, "speakers", "language", "instructions", *OPTIONAL, "seed")


class SettingsPanel(Fitted):
    """The controls by name, in the order of `NAMES`, fitted to the model that is picked first."""

    def __init__(self, engine: Engine, picked: Picked) -> None:
        super().__init__(engine, Task.TEXT_TO_SPEECH, NAMES, _fit)
        fitted = self.fitted(picked, engine.settings)
        self.controls["voice"] = gr.Dropdown(
            label="Voice", allow_custom_value=True, elem_id="set-voice", **fitted["voice"]
        )
        for name, (label, low, high, step, value, _) in SLIDERS.items():
            shown = {"value": value, **fitted[name]}
            self.controls[name] = gr.Slider(low, high, step=step, label=label, elem_id=f"set-{name}", **shown)
        self._box("speakers", "Speakers", fitted, lines=2, max_lines=8)
        self._box("seed", "Seed", fitted, max_lines=1, max_length=10)
        with gr.Accordion("More", open=False, elem_id="more-settings"):
            self.controls["language"] = gr.Dropdown(
                label="Language", allow_custom_value=True, elem_id="set-language", **fitted["language"]
            )
            self._box("instructions", "How to speak", fitted, lines=2)
            for name, (label, _) in OPTIONAL.items():
                self._box(name, label, fitted, max_lines=1, max_length=8)

    def _box(self, name: str, label: str, fitted: dict[str, Any], **options: Any) -> None:
        self.controls[name] = gr.Textbox(label=label, elem_id=f"set-{name}", **options, **fitted[name])


def _fit(name: str, found: Following | None) -> dict[str, Any]:
    reason = found.reason(name) if found else None
    changes: dict[str, Any] = {
        "interactive": reason is None,
        "info": f"Not for this engine: {reason}" if reason else INFOS[name],
    }
    if name == "voice":
        known = found.capabilities.voices if found else ()
        changes["choices"] = [OWN, *((_named(v.name, v.about), v.id) for v in known)]
        changes["value"] = (found.defaults.get("voice") if found else None) or ""
    if name == "language":
        changes["choices"] = [OWN, *(found.capabilities.languages if found else ())]
        changes["value"] = ""
    if found and name in SLIDERS and name in found.defaults:
        changes["value"] = found.defaults[name]
    return changes


def _named(name: str, about: str) -> str:
    return f"{name}: {about}" if about else name


def controls(asked: Mapping[str, Any], own: Mapping[str, Any]) -> list[Any]:
    """What each control gets, in the order of `NAMES`, for settings by a request's names. `own`: the model's values."""
    words = {**asked, "speakers": write_speakers(asked.get("speakers") or ())}
    values = filled(NAMES, SLIDERS, words, own)
    return [values[name] or (name == "voice" and own.get("voice")) or "" for name in NAMES]


def to_request(values: Sequence[Any]) -> dict[str, Any]:
    """Keyword arguments for a `SpeechRequest` from the controls' values.

    Raises `InvalidRequest` for what can't be read.
    """
    given = dict(zip(NAMES, values, strict=True))
    speakers = read_speakers(str(given.pop("speakers") or ""))
    request = {name: value for name, value in given.items() if value not in (None, "")}
    for name, row in SLIDERS.items():
        if request.get(name) == row[4]:
            del request[name]
    if "seed" in request:
        request["seed"] = read_seed(str(request["seed"]))
    for name, (label, _) in OPTIONAL.items():
        if name in request:
            request[name] = _number(str(request[name]), label)
    return {**request, "speakers": speakers} if speakers else request


def read_speakers(text: str) -> tuple[tuple[str, str], ...]:
    """Names and voices from lines such as `Ann: heart`. Raises `InvalidRequest` for a line of another form."""
    pairs = []
    for line in filter(None, map(str.strip, text.splitlines())):
        name, colon, voice = line.partition(":")
        if not colon or not name.strip() or not voice.strip():
            raise InvalidRequest(f"A line of the speakers must be like Ann: heart; it is {line[:40]!r}. Mend it.")
        pairs.append((name.strip(), voice.strip()))
    return tuple(pairs)


def write_speakers(pairs: Sequence[tuple[str, str]]) -> str:
    """The same as text."""
    return "\n".join(f"{name}: {voice}" for name, voice in pairs)


def _number(text: str, label: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InvalidRequest(f"{label} must be a number; it is {text[:20]!r}. Mend it or clear the field.") from None
