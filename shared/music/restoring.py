"""Reads settings back from a composition's file, whatever its kind, or from a receipt's JSON: each is checked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shared.media.fields import Fields
from shared.media.sound.labelling import KEYWORD
from shared.media.sound.restoring import document, settings_of
from shared.media.sound.tags import comments
from shared.music import midi, musicxml
from shared.requests import MusicRequest

_NUMBERS = ("seed", "bars", "duration", "temperature", "top_p", "guidance_scale", "num_inference_steps")
_NOTHING = (
    "This file doesn't say how it was composed: it is no music of this playground, or an app has taken that out. "
    "Drop the file as it was first saved; speech goes into the Speak tab."
)


@dataclass(frozen=True, kw_only=True)
class RestoredMusic:
    """What a file says about how it was made; None where it says nothing. `ignored`: what was left out, and why."""

    prompt: str = ""
    seed: int | None = None
    bars: int | None = None
    duration: float | None = None
    temperature: float | None = None
    top_p: float | None = None
    guidance_scale: float | None = None
    num_inference_steps: int | None = None
    negative_prompt: str | None = None
    model: str | None = None
    ignored: tuple[str, ...] = ()


def restore(data: bytes) -> RestoredMusic:
    """Read MIDI, MusicXML, a sound file or a receipt's JSON. Raises `InvalidRequest` where it says nothing of music."""
    found = Fields(MusicRequest(prompt="-"))
    used = settings_of(document(data, _texts(data), _NOTHING), "prompt", _NOTHING)
    for name in ("prompt", "model", "negative_prompt"):
        found.text(name, used.get(name))
    for name in _NUMBERS:
        found.number(name, used.get(name))
    if used.get("beginning"):
        found.note("the tune that it goes on from, which must be put in again")
    return RestoredMusic(ignored=found.ignored, **found.values)


def _texts(data: bytes) -> Iterator[str]:
    yield from comments(data)
    yield from midi.texts(data)
    if (field := musicxml.field_of(data, KEYWORD)) is not None:
        yield field
