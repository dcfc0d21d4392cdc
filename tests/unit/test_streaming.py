"""A run can be watched, stopped and left at any time, and leaving never waits for it."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Iterator

import pytest

from shared.errors import BackendError, Cancelled
from shared.events import Event, Final, Partial, Progress
from shared.outputs import ChatOutput
from shared.receipts import Receipt
from shared.streaming import CancelToken, Emit, stream
from tests.support.fakes import PATIENCE, until

RECEIPT = Receipt(model="m", name="M", task="conversational", backend="fake", mode="local", license="MIT")
END = Final(ChatOutput(text="ab"), RECEIPT)


def test_events_come_in_order_and_end_with_the_final() -> None:
    def worker(emit: Emit) -> Final:
        emit(Progress("Loading"))
        emit(Partial("a"))
        emit(Partial("b"))
        return END

    assert list(stream(worker)) == [Progress("Loading"), Partial("a"), Partial("b"), END]


def test_closing_does_not_wait_for_a_worker_that_is_blocked() -> None:
    gate = threading.Event()
    token = CancelToken()

    def worker(emit: Emit) -> Final:
        emit(Partial("a"))
        gate.wait(PATIENCE)
        return END

    events = stream(worker, token)
    assert next(events) == Partial("a")
    closer = threading.Thread(target=events.close)  # type: ignore[attr-defined]
    closer.start()
    closer.join(PATIENCE / 2)
    ended = not closer.is_alive()
    gate.set()
    assert ended, "closing waited for the worker"
    assert token.cancelled


def test_a_worker_whose_reader_left_is_stopped_at_its_next_event() -> None:
    stopped = threading.Event()

    def worker(emit: Emit) -> Final:
        try:
            while True:
                emit(Partial("a"))
                time.sleep(0.001)
        except Cancelled:
            stopped.set()
            raise

    events = stream(worker)
    next(events)
    events.close()  # type: ignore[attr-defined]
    assert stopped.wait(PATIENCE)


def test_leaving_breaks_a_blocked_read_by_its_hook() -> None:
    connection_closed, ended = threading.Event(), threading.Event()

    def worker(emit: Emit) -> Final:
        emit(Partial("a"))
        with emit.cancel.on_cancel(connection_closed.set):
            connection_closed.wait(PATIENCE)
        ended.set()
        return END

    events = stream(worker)
    next(events)
    events.close()  # type: ignore[attr-defined]
    assert connection_closed.is_set(), "closing itself breaks the read"
    assert ended.wait(PATIENCE)


def test_while_nothing_comes_the_last_progress_is_repeated_with_the_time_elapsed() -> None:
    gate = threading.Event()

    def worker(emit: Emit) -> Final:
        emit(Progress("Loading weights", 1, 4))
        gate.wait(PATIENCE)
        return END

    events = stream(worker, heartbeat=0.01)
    assert next(events) == Progress("Loading weights", 1, 4)
    beats = [next(events) for _ in range(3)]
    gate.set()
    times = [beat.elapsed for beat in beats if isinstance(beat, Progress)]
    assert [Progress("Loading weights", 1, 4, t) for t in times] == beats
    assert 0 < times[0] < times[1] < times[2]  # type: ignore[operator]
    assert list(events)[-1] == END


def test_an_error_arrives_after_what_came_before_it() -> None:
    error = BackendError("It broke.")

    def worker(emit: Emit) -> Final:
        emit(Partial("a"))
        raise error

    events = stream(worker)
    assert next(events) == Partial("a")
    with pytest.raises(BackendError) as caught:
        next(events)
    assert caught.value is error


def test_a_worker_that_ends_by_being_cancelled_just_ends() -> None:
    token = CancelToken()

    def worker(emit: Emit) -> Final:
        emit(Partial("a"))
        token.cancel()
        emit(Partial("b"))
        return END

    assert list(stream(worker, token)) == [Partial("a")]


def test_a_worker_may_still_end_well_after_the_switch_was_pressed() -> None:
    token = CancelToken()

    def worker(emit: Emit) -> Final:
        token.cancel()
        return END

    assert list(stream(worker, token)) == [END]


def test_the_worker_sees_the_readers_context() -> None:
    person = contextvars.ContextVar("person", default="nobody")
    person.set("Ada")
    seen: list[str] = []

    def worker(emit: Emit) -> Final:
        seen.append(person.get())
        return END

    list(stream(worker))
    assert seen == ["Ada"]


def test_a_hook_runs_once_however_often_the_switch_is_pressed() -> None:
    token, calls = CancelToken(), []
    with token.on_cancel(lambda: calls.append("a")), token.on_cancel(lambda: calls.append("b")):
        token.cancel()
        token.cancel()
    assert sorted(calls) == ["a", "b"]


def test_a_hook_that_comes_after_the_press_runs_at_once_and_once() -> None:
    token, calls = CancelToken(), []
    token.cancel()
    with token.on_cancel(lambda: calls.append("late")):
        assert calls == ["late"]
    token.cancel()
    assert calls == ["late"]


def test_a_hook_whose_block_is_over_does_not_run() -> None:
    token, calls = CancelToken(), []
    with token.on_cancel(lambda: calls.append("over")):
        pass
    token.cancel()
    assert calls == []


def broken() -> None:
    raise OSError("already closed")


def test_a_hook_that_fails_keeps_no_other_from_running() -> None:
    token, calls = CancelToken(), []
    with token.on_cancel(broken), token.on_cancel(lambda: calls.append("other")):
        token.cancel()
    assert calls == ["other"]


def test_a_late_hook_that_fails_does_not_break_the_run() -> None:
    token = CancelToken()
    token.cancel()
    with token.on_cancel(broken):
        assert token.cancelled


def test_one_who_sleeps_is_woken_by_the_switch() -> None:
    token, woken = CancelToken(), []
    sleeper = threading.Thread(target=lambda: woken.append(token.wait(PATIENCE * 10)))
    sleeper.start()
    token.cancel()
    sleeper.join(PATIENCE)
    assert woken == [True]
    assert CancelToken().wait(0.001) is False


def test_leaving_a_run_that_has_ended_is_fine() -> None:
    events: Iterator[Event] = stream(lambda emit: END)
    until(lambda: next(events, END) == END)
    events.close()  # type: ignore[attr-defined]
