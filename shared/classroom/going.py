"""The runs of a class that wait or work now: the teacher can end somebody's, and nobody has an engine for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from shared.streaming import CancelToken

LONGEST = 600.0  # seconds that a run may have its place while others wait for one


class Run:
    """One. `lane`: where it has its place, "" before that; `words`: why it was ended, "" where nobody did."""

    def __init__(self, person: str, cancel: CancelToken) -> None:
        self.person, self._cancel = person, cancel
        self.lane, self.began, self.words = "", 0.0, ""

    def end(self, words: str) -> None:
        """Have it end with what it has."""
        self.words = self.words or words
        self._cancel.cancel()


class Going:
    """All of one server. Safe to share between threads."""

    def __init__(self, longest: float = LONGEST, clock: Callable[[], float] = time.monotonic) -> None:
        self._longest, self._clock, self._lock = longest, clock, threading.Lock()
        self._runs: set[Run] = set()

    @contextmanager
    def run(self, person: str, cancel: CancelToken) -> Iterator[Run]:
        """One that goes on for the length of the block."""
        run = Run(person, cancel)
        with self._lock:
            self._runs.add(run)
        try:
            yield run
        finally:
            with self._lock:
                self._runs.discard(run)

    def begins(self, run: Run, lane: str) -> None:
        """It has its place from now on."""
        run.lane, run.began = lane, self._clock()

    def end_all(self, person: str, words: str) -> None:
        """End everything of that person's."""
        for run in self._found(lambda run: run.person == person):
            run.end(words)

    def end_long(self, lane: str) -> None:
        """End what has had a place in that lane for too long: somebody waits there."""
        minutes = round(self._longest / 60)
        for run in self._found(lambda run: run.lane == lane and self._clock() - run.began > self._longest):
            run.end(
                f"Your run had its engine for {minutes} minutes while others waited, so it ended there. Ask for less: "
                "fewer steps, or something smaller or shorter."
            )

    def _found(self, wanted: Callable[[Run], bool]) -> list[Run]:
        with self._lock:
            return [run for run in self._runs if wanted(run)]
