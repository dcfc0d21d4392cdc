"""How careful the check of words and pictures is: as the settings say, or as somebody sets it while the server runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

from shared.settings import Safety, Settings

LEVELS: tuple[Safety, ...] = get_args(Safety)
_set: Callable[[], str] = lambda: ""  # noqa: E731


def set_by(reader: Callable[[], str]) -> None:
    """From now on what that returns holds for the whole server, where it is one of `LEVELS`."""
    global _set
    _set = reader


def safety_of(settings: Settings) -> Safety:
    """What holds now."""
    chosen = _set()
    return chosen if chosen in LEVELS else settings.safety
