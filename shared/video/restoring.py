"""Reads settings back from a dropped clip, or from the JSON of a receipt: each is checked before it is taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.errors import InvalidRequest
from shared.media.fields import Fields
from shared.media.sound.restoring import document, settings_of
from shared.requests import Shot, VideoRequest
from shared.requests.video import MOST_SHOTS
from shared.video.camera import cameras
from shared.video.reading import texts

_NUMBERS = (
    *("seed", "duration", "fps", "num_frames", "width", "height", "num_inference_steps", "guidance_scale"),
    *("strength", "wander", "step_cache"),
)
_NOTHING = (
    "This file doesn't say how it was made: it is no clip of this playground, or an app has taken that out. "
    "Drop the file as it was first saved."
)


@dataclass(frozen=True, kw_only=True)
class RestoredClip:
    """What a file says about how it was made; None where it says nothing. `ignored`: what was left out, and why."""

    prompt: str = ""
    negative_prompt: str | None = None
    shots: tuple[Shot, ...] = ()
    camera: str | None = None
    seed: int | None = None
    duration: float | None = None
    fps: float | None = None
    num_frames: int | None = None
    width: int | None = None
    height: int | None = None
    num_inference_steps: int | None = None
    guidance_scale: float | None = None
    strength: float | None = None
    wander: float | None = None
    step_cache: float | None = None
    model: str | None = None
    ignored: tuple[str, ...] = ()


def restore(data: bytes) -> RestoredClip:
    """Read a clip or a receipt's JSON. Raises `InvalidRequest` where it says nothing of a clip."""
    found = Fields(VideoRequest(prompt="-"))
    written = () if data.lstrip()[:1] == b"{" else texts(data).values()
    used = settings_of(document(data, written, _NOTHING), "prompt", _NOTHING)
    for name in ("prompt", "negative_prompt", "model"):
        found.text(name, used.get(name))
    for name in _NUMBERS:
        found.number(name, used.get(name))
    if (camera := used.get("camera")) in cameras():
        found.values["camera"] = camera
    elif camera is not None:
        found.ignore("camera", camera, "there is no such camera here")
    if used.get("from"):
        found.note("it was made from a picture, which the file doesn't hold; add that picture again")
    shots = _shots(used.get("shots"), found)
    return RestoredClip(ignored=found.ignored, shots=shots, **found.values)


def _shots(value: Any, found: Fields) -> tuple[Shot, ...]:
    rows = value if isinstance(value, list) else []
    try:
        shots = tuple(Shot(start=float(row["start"]), prompt=str(row["prompt"])) for row in rows[:MOST_SHOTS])
        VideoRequest(prompt="-", shots=shots).validate()
    except (InvalidRequest, TypeError, ValueError, KeyError):
        found.note("the further shots can't be read")
        return ()
    return shots
