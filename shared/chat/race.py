"""Runs several engines on one prompt at once, and gives all their answers as they grow."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

from shared.chat.answer import Answer
from shared.pacing import INTERVAL

Runner = Callable[[], Iterator[Answer]]


def race(runners: Sequence[Runner], interval: float = INTERVAL) -> Iterator[list[Answer]]:
    """The answers side by side, in the runners' order, about every `interval` seconds until all have ended.

    Each runner has a thread of its own. Closing this iterator leaves them running: stop them by their own switches.
    """
    latest = [Answer(status="Waiting") for _ in runners]
    ended = threading.Semaphore(0)

    def follow(place: int, runner: Runner) -> None:
        try:
            for answer in runner():
                latest[place] = answer
        finally:
            ended.release()

    for place, runner in enumerate(runners):
        threading.Thread(target=follow, args=(place, runner), name=f"compare-{place}", daemon=True).start()
    left = len(runners)
    while left:
        yield list(latest)
        left -= ended.acquire(timeout=interval)
    yield list(latest)
