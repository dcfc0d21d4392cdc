"""What models that are read from a folder's parts have in common: they take all cores, and are freed as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.memory import give_back

if TYPE_CHECKING:
    from shared.backends.base import Capabilities
    from shared.requests import Request


class OfParts:
    """One run at a time, since each takes all cores. `parts`: networks and what belongs to them, with their `facts`."""

    concurrency = 1

    def __init__(self, parts: Any, capabilities: Capabilities) -> None:
        self._parts: Any = parts
        self.capabilities, self.facts = capabilities, parts.facts

    def count_tokens(self, request: Request) -> int | None:
        """Not told: no text is read, or only as far as the model's reading goes."""
        return None

    def close(self) -> None:
        """Free the weights."""
        self._parts = None
        give_back()
