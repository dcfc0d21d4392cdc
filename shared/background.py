"""Does work in a thread that tells how far it is, for whoever shows it and may leave at any time."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Generator
from typing import TypeVar

from shared.events import Event, Progress
from shared.streaming import HEARTBEAT, CancelToken, Emit, Emitter

T = TypeVar("T")


def meanwhile(work: Callable[[Emit], T], first: str, cancel: CancelToken | None = None) -> Generator[Progress, None, T]:
    """Yield what the work tells, at least twice a second; its result is this generator's. Errors of the work come here.

    `first` is said until it says something itself. Closing this leaves the work, and waits for nothing.
    """
    told: queue.SimpleQueue[Event] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()
    cancel = cancel or CancelToken()

    def run() -> None:
        try:
            done.put((work(Emitter(told.put, cancel)), None))
        except BaseException as error:
            done.put((None, error))

    threading.Thread(target=run, name="background", daemon=True).start()
    try:
        result, error = yield from _followed(told, done, Progress(first))
    finally:
        cancel.leave()
    if error is not None:
        raise error
    return result  # type: ignore[return-value]


def _followed(
    told: queue.SimpleQueue[Event], done: queue.SimpleQueue[tuple[T | None, BaseException | None]], last: Progress
) -> Generator[Progress, None, tuple[T | None, BaseException | None]]:
    started = time.monotonic()
    while True:
        while not told.empty():
            event = told.get()
            last = event if isinstance(event, Progress) else last
        yield Progress(last.message, last.step, last.total, time.monotonic() - started)
        try:
            return done.get(timeout=HEARTBEAT)
        except queue.Empty:
            continue
