"""Reads what a person or a caller typed, for every Space's settings and API."""

from __future__ import annotations

from collections.abc import Callable

from shared.data_urls import file_in
from shared.errors import InvalidRequest
from shared.tasks import Mode


def read_mode(mode: str) -> Mode | None:
    """The kind of engine by its name; None where it is empty. Raises `InvalidRequest`."""
    try:
        return Mode(mode) if mode else None
    except ValueError:
        raise InvalidRequest(f"mode must be one of {', '.join(Mode)}; it is {mode[:40]!r}.") from None


def read_seed(text: str) -> int:
    """The seed as a number. Raises `InvalidRequest`."""
    if not text.strip().isdecimal():
        raise InvalidRequest(f"The seed must be a whole number; it is {text[:20]!r}. Mend it or clear the field.")
    return int(text)


def read_number(text: str, label: str, kind: Callable[[str], float]) -> float:
    """The number in a text box called `label`; `kind` is `int` or `float`. Raises `InvalidRequest`."""
    try:
        return kind(text.strip())
    except ValueError:
        what = "a whole number" if kind is int else "a number"
        raise InvalidRequest(f"{label} must be {what}; it is {text[:20]!r}. Mend it or clear the field.") from None


def sound_in(url: str) -> bytes:
    """The file in a data URL. Raises `InvalidRequest` for what is no data URL of a sound."""
    if not url.startswith("data:audio/"):
        raise InvalidRequest("The sound must be a data URL that begins with data:audio/wav;base64, for example.")
    try:
        return file_in(url)
    except ValueError:
        raise InvalidRequest("The sound's data URL is no whole base64. Encode the file again.") from None
