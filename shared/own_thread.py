"""A model on a GPU, all of whose runs are done by one thread that stays.

torch keeps what cuDNN planned for a convolution or an attention for each thread by itself, and never frees what it
planned for attention (its Conv_v8.cpp and MHA.cpp say so), so that a new thread for each run plans everything anew. Of
the loss on a card that led here, benchmarks/results/card.md has the figures: pictures at 0.6, answers at 0.2 of the
bare library's speed.
"""

from __future__ import annotations

import contextvars
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shared.backends.base import LoadedModel, Outcome
    from shared.requests import Request
    from shared.streaming import Emit

Task = tuple[Callable[[], Any], "Future[Any]"]


class OwnThread:
    """Does what it is given, one after another. A daemon: it keeps no process from ending."""

    def __init__(self, name: str) -> None:
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._ended = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def do(self, work: Callable[[], Any]) -> Any:
        """What `work` returns or raises, done there with this thread's context. Raises `RuntimeError` after `end`."""
        if self._ended:
            raise RuntimeError("This thread has ended.")
        done: Future[Any] = Future()
        context = contextvars.copy_context()
        self._tasks.put((lambda: context.run(work), done))
        return done.result()

    def end(self) -> None:
        """Let it end once it has done what it was given. May be called twice."""
        self._ended = True
        self._tasks.put(None)

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            work, done = task
            try:
                done.set_result(work())
            except BaseException as error:  # `Cancelled` too: it is the caller's
                done.set_exception(error)
            del task, work, done  # they hold the run's tensors


class OnOwnThread:
    """A `LoadedModel` that serves one run at a time, on its own thread. Everything else of it is the model's."""

    def __init__(self, model: LoadedModel, name: str) -> None:
        self._model, self._there = model, OwnThread(name)
        self.capabilities, self.concurrency, self.facts = model.capabilities, model.concurrency, model.facts

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def count_tokens(self, request: Request) -> int | None:
        """As the model counts them."""
        return self._model.count_tokens(request)

    def run(self, request: Request, emit: Emit) -> Outcome:
        """Run it there; raises what the model raises."""
        outcome: Outcome = self._there.do(lambda: self._model.run(request, emit))
        return outcome

    def close(self) -> None:
        """Close the model, and let its thread end. May be called twice."""
        self._there.end()
        self._model.close()
