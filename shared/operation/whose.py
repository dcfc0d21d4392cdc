"""Whose the run is that goes on in this thread, where nobody said so: by the page that it was begun on.

The shared layer knows no screen: whoever serves one says here how its visitor is found.
"""

from __future__ import annotations

from collections.abc import Callable

_reader: Callable[[], str] = lambda: ""  # noqa: E731


def read_by(reader: Callable[[], str]) -> None:
    """From now on that tells the owner of the page that a run in this thread was begun on."""
    global _reader
    _reader = reader


def visitor() -> str:
    """The owner, as the store names them; "" where nobody can be told."""
    return _reader()
