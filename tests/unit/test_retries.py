"""A failed call is tried again only where that can help, as soon as the provider wishes, and never unseen."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from shared.errors import BackendError, Cancelled, InvalidRequest, KeyRefused, ProviderUnavailable, RateLimited
from shared.events import Progress
from shared.retries import RetryPolicy, with_retries
from tests.support.fakes import PATIENCE, QUICK, Listener


class Calls:
    """Fails with these errors one after another, then succeeds; remembers when it was called."""

    def __init__(self, *errors: Exception) -> None:
        self.errors, self.times = list(errors), []

    def __call__(self) -> str:
        self.times.append(time.monotonic())
        if self.errors:
            raise self.errors.pop(0)
        return "ok"


def attempt(calls: Calls, policy: RetryPolicy = QUICK, began: bool = False, listener: Listener | None = None) -> str:
    return with_retries(calls, (listener or Listener()).emit, lambda: began, policy)


def down() -> ProviderUnavailable:
    return ProviderUnavailable("The provider", "It is down.")


def test_it_is_tried_again_until_it_works_and_each_time_is_told() -> None:
    calls, listener = Calls(down(), down()), Listener()
    assert attempt(calls, listener=listener) == "ok"
    told = [e.message for e in listener.events if isinstance(e, Progress)]
    assert len(told) == 2
    assert told[0].startswith("It is down. (attempt 1 of 3; next in ")


def test_after_the_last_attempt_the_error_is_told() -> None:
    calls = Calls(*[down() for _ in range(9)])
    with pytest.raises(ProviderUnavailable):
        attempt(calls)
    assert len(calls.times) == 3


@pytest.mark.parametrize(
    "error",
    [KeyRefused("The provider", "KEY"), BackendError("It broke."), InvalidRequest("Wrong.")],
    ids=lambda e: type(e).__name__,
)
def test_what_would_fail_again_is_not_tried_again(error: Exception) -> None:
    calls = Calls(error)
    with pytest.raises(type(error)):
        attempt(calls)
    assert len(calls.times) == 1


def test_nothing_is_tried_again_once_output_began() -> None:
    calls = Calls(down())
    with pytest.raises(ProviderUnavailable):
        attempt(calls, began=True)
    assert len(calls.times) == 1


def test_the_providers_own_wish_is_waited_out() -> None:
    calls = Calls(RateLimited("The provider", retry_after=0.15))
    assert attempt(calls) == "ok"
    assert calls.times[1] - calls.times[0] >= 0.15


def test_a_wish_that_is_too_long_is_told_at_once() -> None:
    calls = Calls(RateLimited("The provider", retry_after=3600))
    with pytest.raises(RateLimited, match="Try again in 3600 seconds"):
        attempt(calls, RetryPolicy(patience=15, deadline=7200))
    assert len(calls.times) == 1


def test_no_wait_goes_past_the_deadline() -> None:
    calls = Calls(RateLimited("The provider", retry_after=5))
    with pytest.raises(RateLimited):
        attempt(calls, RetryPolicy(patience=10, deadline=2))
    assert len(calls.times) == 1


def test_waits_grow_and_differ_from_person_to_person() -> None:
    def waits() -> tuple[float, ...]:
        calls, listener = Calls(down(), down(), down()), Listener()
        attempt(calls, RetryPolicy(attempts=4, base=0.01, cap=1), listener=listener)
        return tuple(b - a for a, b in zip(calls.times, calls.times[1:], strict=False))

    first, second = waits(), waits()
    for lower, wait in zip((0.01, 0.02, 0.04), first, strict=True):
        assert wait >= lower
    assert first != second


def test_stop_ends_the_wait() -> None:
    listener, calls = Listener(), Calls(RateLimited("The provider", retry_after=PATIENCE * 2))
    ended: list[BaseException] = []

    def run(call: Callable[[], str]) -> None:
        try:
            with_retries(call, listener.emit, lambda: False, RetryPolicy())
        except BaseException as error:
            ended.append(error)

    thread = threading.Thread(target=run, args=(calls,), daemon=True)
    thread.start()
    while not listener.heard("attempt 1"):
        time.sleep(0.002)
    listener.cancel.cancel()
    thread.join(PATIENCE)
    assert [type(e) for e in ended] == [Cancelled]
    assert len(calls.times) == 1
