"""Writes a run's receipt into its owner's history."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from shared.errors import NotReady
from shared.operation import whose
from shared.operation.seen import Seen
from shared.state.history import History, Owner

_TOLD = frozenset({"notes", "unhonoured"})  # in our words, which may quote a person's


class Keeping:
    """A watcher. `prompts`: whether what was asked is kept too."""

    def __init__(self, history: History, *, prompts: bool = False) -> None:
        self._history, self._prompts = history, prompts

    @contextmanager
    def __call__(self, seen: Seen) -> Iterator[None]:
        """A run is not held up by being written down, nor spoiled because it can't be."""
        try:
            yield
        finally:
            if not isinstance(seen.error, NotReady) and (owner := seen.owner or whose.visitor()):
                self._keep(owner, seen)

    def _keep(self, owner: Owner, seen: Seen) -> None:
        error = "" if seen.outcome in {"ok", "stopped"} else seen.outcome
        prompt = seen.words if self._prompts else None
        receipt = _receipt(seen) if self._prompts else wordless(_receipt(seen), seen.request.WORDS)
        self._history.add_soon(owner, str(seen.spec.task), receipt, error=error, prompt=prompt)


def _receipt(seen: Seen) -> dict[str, Any]:
    if seen.receipt:
        return seen.receipt.to_dict()
    spec, variant = seen.spec, seen.variant
    return {"model": spec.id, "name": spec.name, "backend": variant.backend, "mode": str(variant.mode)}


def wordless(receipt: dict[str, Any], words: frozenset[str]) -> dict[str, Any]:
    """The receipt without what a person wrote: without settings that are `words`, or what an engine says of them."""
    kept = {name: value for name, value in receipt.items() if name not in _TOLD}
    settings = {name: value for name, value in receipt.get("settings", {}).items() if name not in words}
    extra = {name: value for name, value in receipt.get("extra", {}).items() if isinstance(value, int | float)}
    return {**kept, "settings": settings, "extra": extra}
