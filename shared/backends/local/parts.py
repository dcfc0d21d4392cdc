"""What models that are read from a folder's parts have in common: they take all cores, and are freed as one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from shared.memory import give_back

if TYPE_CHECKING:
    from shared.backends.base import Capabilities
    from shared.requests import Request


class OfParts:
    """One run at a time, since each takes all cores, and a pipeline holds its run's state.

    `parts`: networks and what belongs to them. They have their `facts`, where none are given.
    """

    concurrency = 1

    def __init__(self, parts: Any, capabilities: Capabilities, facts: Mapping[str, Any] | None = None) -> None:
        self._parts: Any = parts
        self.capabilities = capabilities
        self.facts: Mapping[str, Any] = parts.facts if facts is None else facts

    def count_tokens(self, request: Request) -> int | None:
        """Not told: no text is read, or only as far as the model's reading goes."""
        return None

    def close(self) -> None:
        """Free the weights: let go of all but what is told of them, also of what a subclass added."""
        for name in vars(self).keys() - {"capabilities", "facts"}:
            setattr(self, name, None)
        give_back()
