"""Reads settings back from a motion's file that was made here: each is checked before it is taken."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from shared.errors import InvalidRequest
from shared.media.fields import Fields
from shared.media.sound.restoring import settings_of
from shared.requests import MotionRequest
from shared.solid.restoring import made_here
from shared.tasks import Task

NUMBERS = ("duration", "num_inference_steps", "guidance_scale", "seed")
_NOTHING = (
    "This file doesn't say how it was made: it is no motion of this playground, or a program has taken that out. Drop "
    "the GLB as it was first saved; a BVH has no room for it."
)


@dataclass(frozen=True, kw_only=True)
class RestoredMotion:
    """What a file says about how it was made. `values`: settings by name; `ignored`: what was left out, and why."""

    prompt: str
    model: str | None = None
    values: dict[str, Any] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()


def restore(data: bytes) -> RestoredMotion:
    """Read an animated GLB or a receipt's JSON. Raises `InvalidRequest` where it says nothing of a motion."""
    told = made_here(data)
    receipt = told.get("receipt")
    if not isinstance(receipt, dict) or receipt.get("task") != Task.TEXT_TO_MOTION:  # a solid's GLB holds its own
        raise InvalidRequest(_NOTHING)
    used = settings_of(told, "prompt", _NOTHING)
    found = Fields(MotionRequest(prompt="-"))
    for name in NUMBERS:
        found.number(name, used.get(name))
    for name in ("prompt", "model"):
        found.text(name, used.get(name))
    values = dict(found.values)
    return RestoredMotion(
        prompt=values.pop("prompt", ""), model=values.pop("model", None), values=values, ignored=found.ignored
    )
