"""The one place where a failed call is tried again. SDK retries are off, so that they don't multiply.

Exponential backoff with full jitter, as in M. Brooker, "Exponential Backoff And Jitter" (AWS Architecture
Blog, 2015); jitter is drawn before the cap is applied, and a provider's own Retry-After goes before both.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from shared.errors import BackendError
from shared.events import Progress
from shared.streaming import Emit

T = TypeVar("T")


@dataclass(frozen=True)
class RetryPolicy:
    """Times in seconds. A wait longer than `patience` is not sat out: the person is told instead."""

    attempts: int = 3
    base: float = 0.5
    cap: float = 8.0
    patience: float = 15.0
    deadline: float = 60.0


def with_retries(call: Callable[[], T], emit: Emit, began: Callable[[], bool], policy: RetryPolicy) -> T:
    """Call until it succeeds. Never again once output `began`: the person would see it twice."""
    end = time.monotonic() + policy.deadline
    for attempt in range(1, policy.attempts + 1):
        try:
            return call()
        except BackendError as error:
            wait = _wait(error, attempt, policy)
            late = time.monotonic() + wait > end
            if not error.retryable or began() or attempt == policy.attempts or wait > policy.patience or late:
                raise
            emit(Progress(f"{error} (attempt {attempt} of {policy.attempts}; next in {wait:.1f} s)"))
            emit.cancel.wait(wait)
            emit.check()
    raise AssertionError("unreachable")


def _wait(error: BackendError, attempt: int, policy: RetryPolicy) -> float:
    asked: float | None = getattr(error, "retry_after", None)
    if asked is not None:
        return asked
    return min(policy.cap, random.uniform(0.5, 1.0) * policy.base * 2.0**attempt)
