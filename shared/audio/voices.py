"""The voices that engines come with: rows of `voices.toml`, under the name that a variant's `voices` option gives."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from shared.backends.base import Voice
from shared.errors import InvalidRequest

_FIELDS = ("id", "name", "language", "about")


@cache
def voices(listed: str) -> tuple[Voice, ...]:
    """The voices of that list, the usual one first; none for "" and for a list that is not known."""
    return tuple(Voice(**{name: row.get(name, "") for name in _FIELDS}) for row in _rows().get(listed, ()))


def row(listed: str, voice: str | None) -> Mapping[str, Any]:
    """All that the list says of the voice (None: of the usual one). Raises `InvalidRequest` for one it hasn't."""
    rows = _rows()[listed]
    if voice is None:
        return rows[0]
    found = next((each for each in rows if voice.strip().lower() in {each["id"].lower(), each["name"].lower()}), None)
    if found is None:
        raise InvalidRequest(unknown(voice, [str(each["id"]) for each in rows]))
    return found


def unknown(voice: str, known: list[str]) -> str:
    """What to tell a person who asked for a voice that isn't there."""
    return f"There is no voice called {voice[:60]!r} here. Choose one of: {', '.join(known)}."


@cache
def _rows() -> dict[str, list[dict[str, Any]]]:
    return tomllib.loads(Path(__file__).with_name("voices.toml").read_text(encoding="utf-8"))
