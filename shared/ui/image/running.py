"""What a panel of the image Space was asked to draw, by which engine, and whether that engine can."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.engine import Engine
from shared.errors import InvalidRequest
from shared.image.sweeping import Way
from shared.requests import ImageRequest
from shared.settings import Settings
from shared.tasks import Mode, Task
from shared.ui.following import following
from shared.ui.image.settings_panel import to_request
from shared.ui.model_picker import Picked
from shared.ui.sessions import with_keys


@dataclass(frozen=True)
class Asked:
    """What a panel was asked to draw, by which engine, and the settings as this visitor has them."""

    request: ImageRequest
    way: Way
    settings: Settings


def read(engine: Engine, prompt: str, values: Sequence[Any], **more: Any) -> Asked:
    """From a panel's prompt and what stands beside the tabs: keys, the picker's three, the settings.

    `more`: fields of the request that the panel sets itself. Raises `InvalidRequest` for what can't be read.
    """
    keys, model, mode, variant, *rest = values
    if not model:
        raise InvalidRequest("Choose a model first.")
    request = ImageRequest(prompt=prompt or "", **{**to_request(rest), **more})
    return Asked(request, Way(model, variant or None, Mode(mode)), with_keys(engine.settings, keys))


def why_not(engine: Engine, asked: Asked, name: str) -> str | None:
    """Why the chosen engine can't follow that field of a request; None where it can."""
    picked = Picked(asked.way.model, str(asked.way.mode), asked.way.variant)
    found = following(engine, Task.TEXT_TO_IMAGE, picked, asked.settings)
    return found.reason(name) if found else None


def must_follow(engine: Engine, asked: Asked, *names: str) -> None:
    """Raise `InvalidRequest` with the reason where the chosen engine can't follow one of these fields."""
    for name in names:
        if reason := why_not(engine, asked, name):
            raise InvalidRequest(f"The chosen engine can't do this. {reason}")
