"""How much one person may ask of a class's server at once, and in a while: it is everybody's."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

AT_ONCE = 60  # calls of one person that may be open: a browser opens six, and a page holds two of these for long
BURST = 400.0  # calls that somebody may make as fast as they can
AGAIN = 10.0  # of these that come back each second


class Calls:
    """What each person asks now, and asked of late. For one event loop."""

    def __init__(
        self,
        at_once: int = AT_ONCE,
        burst: float = BURST,
        again: float = AGAIN,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._at_once, self._burst, self._again, self._clock = at_once, burst, again, clock
        self._open: Counter[str] = Counter()
        self._left: dict[str, tuple[float, float]] = {}  # what is left, and when that was counted

    def begin(self, person: str) -> bool:
        """Whether they may make a call now; if so it is open until `end`."""
        now = self._clock()
        left, counted = self._left.get(person, (self._burst, now))
        left = min(self._burst, left + (now - counted) * self._again)
        may = left >= 1 and self._open[person] < self._at_once
        self._left[person] = (left - may, now)
        self._open[person] += may
        return may

    def end(self, person: str) -> None:
        """A call that was begun is over."""
        self._open[person] -= 1
        if self._open[person] <= 0:
            del self._open[person]
