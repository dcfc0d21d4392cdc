"""Who asks for the run that begins now: read from the request that the screen answers, in its own thread.

The shared layer knows no screen: whoever serves one says here how its visitor's token is found.
"""

from __future__ import annotations

from collections.abc import Callable

COOKIE = "playground_class"
TEACHER_COOKIE = "playground_teacher"

_reader: Callable[[str], str] = lambda cookie: ""  # noqa: E731


def read_by(reader: Callable[[str], str]) -> None:
    """From now on the visitor's cookie of a name is what that returns for it."""
    global _reader
    _reader = reader


def token() -> str:
    """The token of whoever asks; "" where nobody can be told."""
    return _reader(COOKIE)


def teacher_token() -> str:
    """Their token as a teacher."""
    return _reader(TEACHER_COOKIE)
