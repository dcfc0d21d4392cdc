"""What belongs to one visitor while the page is open: runs that can be stopped, and keys that were typed.

Both live in this process's memory alone and go when the visitor leaves. Keys are found by a random handle kept
in the session's state, not by the session's name, which the client chooses.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from shared.settings import Secret, Settings
from shared.streaming import CancelToken


class Runs:
    """The runs of each session, so that its Stop button finds them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens: dict[str, set[CancelToken]] = defaultdict(set)

    @contextmanager
    def running(self, session: str, count: int = 1) -> Iterator[list[CancelToken]]:
        """`count` stop switches for the length of the block; whoever leaves it early leaves their runs."""
        tokens = [CancelToken() for _ in range(count)]
        with self._lock:
            self._tokens[session].update(tokens)
        try:
            yield tokens
        finally:
            with self._lock:
                self._tokens[session].difference_update(tokens)
                if not self._tokens[session]:
                    del self._tokens[session]
            for token in tokens:
                token.leave()

    def stop(self, session: str) -> int:
        """Stop all runs of the session; returns how many there were."""
        with self._lock:
            tokens = list(self._tokens.get(session, ()))
        for token in tokens:
            token.cancel()
        return len(tokens)


def with_keys(settings: Settings, keys: dict[str, Secret] | None) -> Settings:
    """The settings as this session sees them."""
    return settings.with_session_keys({name: key.reveal() for name, key in (keys or {}).items()})
