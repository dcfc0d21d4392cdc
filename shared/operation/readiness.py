"""Can this server serve now? Answered by a list of checks, each of which gives a reason against it or None."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from shared.operation.draining import DRAIN, Drain

if TYPE_CHECKING:
    from shared.engine import Engine
    from shared.tasks import Task

Check = Callable[[], str | None]
KEPT = 1.0  # seconds: whoever asks more often gets the last answer, so that asking costs the server nothing


class Readiness:
    """The checks of a server. Safe to share between threads."""

    def __init__(self, checks: Iterable[Check], drain: Drain = DRAIN) -> None:
        self._checks, self._drain = tuple(checks), drain
        self._lock = threading.Lock()
        self._found: list[str] = []
        self._looked = float("-inf")

    def reasons(self) -> list[str]:
        """Why it can't serve, in words for its keeper; an empty list where it can. No key and no path is in them."""
        if self._drain.draining:
            return ["The server is draining: it ends once what runs has ended."]
        with self._lock:
            if time.monotonic() - self._looked > KEPT:
                self._found = [reason for check in self._checks if (reason := _asked(check))]
                self._looked = time.monotonic()
            return list(self._found)


def _asked(check: Check) -> str | None:
    try:
        return check()
    except Exception as error:  # a check that breaks is a reason too, and its words may hold anything
        return f"A check failed ({type(error).__name__}); the log says more."


def starters_run(engine: Engine, tasks: Sequence[Task]) -> str | None:
    """A reason where a task's starter models can't run here. A task that has none needs a key or a model anyway."""
    lacking = [task for task in tasks if not _served(engine, task)]
    return (
        f"No starter model runs here for: {', '.join(lacking)}. `python3 run.py doctor` says why." if lacking else None
    )


def _served(engine: Engine, task: Task) -> bool:
    starters = [spec for spec in engine.catalog.for_task(task) if spec.starter]
    return not starters or any(engine.plan(spec).candidates for spec in starters)
