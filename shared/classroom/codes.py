"""The code that lets people into the room: short enough to be read from a wall, and slow to guess."""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable

# Letters and digits that are not taken for one another: 27 ** 6 is 387 million codes.
LETTERS = "ABCDEFGHJKMNPQRTUVWXY346789"
LENGTH = 6
FREE = 5  # wrong codes in a row that anybody may type without being slowed
SLOWEST = 3.0  # seconds that a wrong code waits for its answer
FORGIVEN = 20.0  # seconds after which one wrong code is forgotten
MINUTE = 60  # seconds for which wrong codes are counted to be told


def new_code() -> str:
    """A code nobody can foresee."""
    return "".join(secrets.choice(LETTERS) for _ in range(LENGTH))


def same(code: str, typed: str) -> bool:
    """Whether that is the code, however it was typed; none is the code while nobody knows it."""
    plain = "".join(c for c in typed.upper() if c.isascii() and c.isalnum())
    return bool(code) and hmac.compare_digest(code.encode(), plain.encode())


class Slowing:
    """How long a wrong code has to wait for its answer: the longer, the more there were. A right one never waits.

    It counts all that are wrong together, not by address: a school has one. Safe to share between threads.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._lock, self._clock = threading.Lock(), clock
        self._wrong, self._looked = 0.0, clock()
        self._seconds: deque[tuple[int, int]] = deque()  # each second of the last minute, and how many were wrong in it

    def wrong(self) -> float:
        """One more; returns the seconds to wait."""
        with self._lock:
            now = self._clock()
            self._wrong = max(0.0, self._wrong - (now - self._looked) / FORGIVEN) + 1
            self._looked = now
            second = int(now)
            before = self._seconds.pop()[1] if self._seconds and self._seconds[-1][0] == second else 0
            self._seconds.append((second, before + 1))
            self._forget(second)
            return min(SLOWEST, max(0.0, self._wrong - FREE) * 0.1)

    def lately(self) -> int:
        """How many were wrong within the last minute."""
        with self._lock:
            self._forget(int(self._clock()))
            return sum(count for _, count in self._seconds)

    def _forget(self, now: int) -> None:
        while self._seconds and now - self._seconds[0][0] >= MINUTE:
            self._seconds.popleft()
