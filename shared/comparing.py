"""Several runs told of together: one after the other, so that none slows another, or all at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextvars import copy_context
from functools import partial
from typing import TypeVar

from shared.errors import InferenceError
from shared.pacing import INTERVAL, SoFar
from shared.streaming import CancelToken, switch_for_one

Shown = TypeVar("Shown", bound=SoFar)


def in_turn(
    runs: Sequence[Callable[[CancelToken], Iterator[Shown]]],
    waiting: Shown,
    failed: Callable[[InferenceError], Shown],
    cancel: CancelToken | None = None,
) -> Iterator[list[Shown]]:
    """What has come of each run, each time more has come of one. `cancel` stops the one that goes on and those to come.

    `waiting`: what there is of one that has not begun; `failed`: of one that could not. The others go on after it.
    """
    said = [waiting for _ in runs]
    for number, run in enumerate(runs):
        if cancel is not None and cancel.cancelled:
            break
        for said[number] in _one(run, failed, cancel):
            yield list(said)
    yield list(said)


def _one(
    run: Callable[[CancelToken], Iterator[Shown]],
    failed: Callable[[InferenceError], Shown],
    cancel: CancelToken | None,
) -> Iterator[Shown]:
    try:
        with switch_for_one(cancel) as own:
            yield from run(own)
    except InferenceError as error:
        yield failed(error)


def at_once(
    runs: Sequence[Callable[[], Iterator[Shown]]], waiting: Shown, interval: float = INTERVAL
) -> Iterator[list[Shown]]:
    """What has come of each run, in their order, about every `interval` seconds until all have ended.

    Each has a thread of its own. Closing this iterator leaves them running: stop them by their own switches.
    """
    said = [waiting for _ in runs]
    ended = threading.Semaphore(0)

    def follow(place: int, run: Callable[[], Iterator[Shown]]) -> None:
        try:
            for said[place] in run():
                pass
        finally:
            ended.release()

    for place, run in enumerate(runs):
        # Each in a copy of this thread's context: who asks is read from there.
        work = partial(copy_context().run, follow, place, run)
        threading.Thread(target=work, name=f"compare-{place}", daemon=True).start()
    left = len(runs)
    while left:
        yield list(said)
        left -= ended.acquire(timeout=interval)
    yield list(said)
