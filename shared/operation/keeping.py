"""Writes a run's receipt into its owner's history."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from shared.errors import BackendError, NotReady
from shared.operation.seen import Seen
from shared.state.history import History

logger = logging.getLogger(__name__)


class Keeping:
    """A watcher. `prompts`: whether what was asked is kept too."""

    def __init__(self, history: History, *, prompts: bool = False) -> None:
        self._history, self._prompts = history, prompts

    @contextmanager
    def __call__(self, seen: Seen) -> Iterator[None]:
        """A run is not spoiled because it can't be written down."""
        try:
            yield
        finally:
            if seen.owner and not isinstance(seen.error, NotReady):
                self._keep(seen)

    def _keep(self, seen: Seen) -> None:
        receipt = seen.receipt.to_dict() if seen.receipt else {"model": seen.spec.id, "name": seen.spec.name}
        error = "" if seen.outcome in {"ok", "stopped"} else seen.outcome
        prompt = seen.words if self._prompts else None
        try:
            self._history.add(seen.owner, str(seen.spec.task), receipt, error=error, prompt=prompt)
        except BackendError as trouble:
            logger.warning("A run wasn't written into its owner's history: %s", trouble)
