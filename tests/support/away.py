"""A state that can't be reached."""

from __future__ import annotations

from pathlib import Path

from shared.errors import BackendError
from shared.state.database import Database


class Away(Database):
    """Says so at the first question."""

    def __init__(self) -> None:
        super().__init__(Path("/dev/null/x"))

    @property
    def empty(self) -> bool:
        raise BackendError("It is away.")
