"""How much one person may send to a class: a film uploaded again and again fills the one disk that all share."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable

MOST = 600_000_000  # bytes that a person may send within the hour: two of the largest files, or thirty pictures
WITHIN = 3600.0  # seconds
SPARE = 1_000_000_000  # bytes that files leave free on the disk: the class's own state lies there too


def _free() -> int:
    return shutil.disk_usage(tempfile.gettempdir()).free


class Uploads:
    """What each person sent of late. Safe to share between threads; a server that starts anew has forgotten it."""

    def __init__(
        self, most: int = MOST, clock: Callable[[], float] = time.monotonic, free: Callable[[], int] = _free
    ) -> None:
        self.most, self._clock, self._free = most, clock, free
        self._lock = threading.Lock()
        self._sent: dict[str, deque[tuple[float, int]]] = {}

    def is_full(self, size: int) -> bool:
        """Whether the disk has no room for that: two hundred who may each send half a gigabyte could fill it."""
        return size > 65_536 and self._free() - size < SPARE

    def take(self, person: str, size: int) -> int | None:
        """Count what they are about to send; how many bytes more they may, or None, uncounted, where it is too much.

        Counted before it comes, so that a hundred files at once are no way round it.
        """
        with self._lock:
            sent = self._of(person)
            left = self.most - sum(each for _, each in sent) - size
            if left < 0:
                return None
            if size > 0:
                sent.append((self._clock(), size))
            return left

    def _of(self, person: str) -> deque[tuple[float, int]]:
        sent, now = self._sent.setdefault(person, deque()), self._clock()
        while sent and now - sent[0][0] >= WITHIN:
            sent.popleft()
        return sent
