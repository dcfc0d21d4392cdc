"""The end of a server without losing what runs: no new run begins, and those that run get some time.

A process has one `DRAIN`, since it is the process that ends; engines and the page `/readyz` look at it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from shared.errors import LimitReached

AGAIN = 15.0  # seconds after which it is worth asking again: by then another server has taken over, as a rule


class Drain:
    """Counts what runs, and lets nothing new begin once `begin` was called. Safe to share between threads."""

    def __init__(self) -> None:
        self.draining = False  # a plain flag: a signal's handler sets it, which must not wait for a lock
        self._running = 0
        self._lock = threading.Lock()

    def begin(self) -> None:
        """From now on no run begins."""
        self.draining = True

    @property
    def running(self) -> int:
        """How many runs there are now."""
        return self._running

    @contextmanager
    def run(self) -> Iterator[None]:
        """A run, for the length of the block. Raises `LimitReached` where none may begin any more."""
        with self._lock:
            if self.draining:
                raise LimitReached(
                    "This server is being stopped, so it begins nothing new. Nothing is lost: load the page again in a "
                    "minute, and press Run once more.",
                    retry_after=AGAIN,
                )
            self._running += 1
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1

    def wait(self, seconds: float) -> bool:
        """Wait until nothing runs, but no longer than that; returns whether nothing does. Ctrl-C ends it."""
        end = time.monotonic() + seconds
        while self._running and time.monotonic() < end:
            time.sleep(0.05)
        return not self._running


DRAIN = Drain()
