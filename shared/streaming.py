"""Turns a blocking worker that reports through a callback into an iterator that can be closed at any time.

Closing the iterator never waits for the worker: it flags the run as cancelled, runs the cancel hooks (which
break a blocked network read, say) and returns. Gradio closes generators on its event loop, so a join there
would freeze the whole server.
"""

from __future__ import annotations

import contextlib
import contextvars
import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Protocol

from shared.errors import Cancelled
from shared.events import Event, Final, Progress
from shared.jobs.job import JobTold

HEARTBEAT = 0.5  # seconds; a generator can be closed only while it is suspended at a yield


class CancelToken:
    """A run's stop switch, safe to press from any thread and more than once."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._left = False
        self._lock = threading.Lock()
        self._hooks: list[Callable[[], object]] = []

    @property
    def cancelled(self) -> bool:
        """Whether it was pressed."""
        return self._event.is_set()

    @property
    def stopped(self) -> bool:
        """Whether a person pressed it, and didn't just go away."""
        return self._event.is_set() and not self._left

    def leave(self) -> None:
        """Press it because nobody listens any more: what is paid for elsewhere goes on there."""
        with self._lock:
            self._left = self._left or not self._event.is_set()
        self.cancel()

    def cancel(self) -> None:
        """Press it: every hook registered now runs once, in this thread."""
        with self._lock:
            self._event.set()
            hooks, self._hooks = self._hooks, []
        for hook in hooks:
            _call(hook)

    def wait(self, seconds: float) -> bool:
        """Sleep, or return True early when pressed."""
        return self._event.wait(seconds)

    @contextlib.contextmanager
    def on_cancel(self, hook: Callable[[], object]) -> Iterator[None]:
        """Run `hook` if the switch is pressed inside the block (at once, if it is pressed already)."""
        with self._lock:
            late = self._event.is_set()
            if not late:
                self._hooks.append(hook)
        if late:
            _call(hook)
        try:
            yield
        finally:
            with self._lock, contextlib.suppress(ValueError):
                self._hooks.remove(hook)


@contextlib.contextmanager
def switch_for_one(cancel: CancelToken | None) -> Iterator[CancelToken]:
    """A switch for one of several runs, since one that has ended leaves its own pressed.

    It is pressed, or left, with `cancel`, and left at the end of the block.
    """
    own = CancelToken()

    def press() -> None:
        if cancel is not None and cancel.stopped:
            own.cancel()
        else:
            own.leave()

    try:
        with contextlib.nullcontext() if cancel is None else cancel.on_cancel(press):
            yield own
    finally:
        own.leave()


def _call(hook: Callable[[], object]) -> None:
    with contextlib.suppress(Exception):  # a hook races with the end of what it would stop
        hook()


class Emit(Protocol):
    """How a backend reports. Calling it raises `Cancelled` once the run is stopped."""

    cancel: CancelToken

    def __call__(self, event: Event) -> None: ...

    def check(self) -> None:
        """Raise `Cancelled` if the run was stopped."""

    def restart(self) -> None:
        """The run proper begins only now: it had waited for a place."""

    def job(self, told: JobTold) -> None:
        """Have it written down what became of a job at a provider. Works in a run that was stopped too."""


class Emitter:
    """An `Emit` that hands each event to a function."""

    def __init__(self, put: Callable[[Event], None], cancel: CancelToken | None = None) -> None:
        self._put = put
        self.cancel = cancel or CancelToken()

    def __call__(self, event: Event) -> None:
        self.check()
        self._put(event)

    def check(self) -> None:
        """Raise `Cancelled` if the run was stopped."""
        if self.cancel.cancelled:
            raise Cancelled

    def restart(self) -> None:
        """Nothing: an engine's recorder keeps the time."""

    def job(self, told: JobTold) -> None:
        """Nothing: an engine's recorder writes it down."""


class _Failed:
    def __init__(self, error: BaseException) -> None:
        self.error = error


def stream(
    worker: Callable[[Emit], Final], cancel: CancelToken | None = None, heartbeat: float = HEARTBEAT
) -> Iterator[Event]:
    """Run `worker` in a thread and yield what it emits, then its `Final`.

    While nothing comes, the last `Progress` is repeated every `heartbeat` seconds with the time elapsed.
    An exception of the worker is raised here. If the worker ends by `Cancelled`, the iterator just ends.
    """
    cancel = cancel or CancelToken()
    events: queue.SimpleQueue[Event | _Failed] = queue.SimpleQueue()

    def work() -> None:
        try:
            events.put(worker(Emitter(events.put, cancel)))
        except BaseException as error:
            events.put(_Failed(error))

    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(work,), name="run", daemon=True).start()
    try:
        yield from _drain(events, heartbeat)
    finally:
        cancel.leave()


def _drain(events: queue.SimpleQueue[Event | _Failed], heartbeat: float) -> Iterator[Event]:
    started, last = time.monotonic(), Progress("Working")
    while True:
        try:
            event = events.get(timeout=heartbeat)
        except queue.Empty:
            yield Progress(last.message, last.step, last.total, time.monotonic() - started)
            continue
        if isinstance(event, _Failed):
            if isinstance(event.error, Cancelled):
                return
            raise event.error
        if isinstance(event, Progress):
            last = event
        yield event
        if isinstance(event, Final):
            return
