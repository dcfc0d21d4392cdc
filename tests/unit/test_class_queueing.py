"""The queues of a class in real threads: places, what people are told, pausing, and giving up."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from shared.classroom.queueing import MOST, Place, Queues
from shared.errors import LimitReached

LONG = 30  # seconds, for what takes none


class GaveUp(Exception):
    """What a person's emitter raises once they left."""


@contextmanager
def going(
    queues: Queues, person: str, tell: Callable[[Place], object] = lambda place: None
) -> Iterator[dict[str, threading.Event]]:
    """A run of that person in a thread, which ends when it is told to."""
    events = {name: threading.Event() for name in ("began", "end", "over")}

    def run() -> None:
        try:
            with queues.turn("machine", "kind", person, tell):
                events["began"].set()
                events["end"].wait(LONG)
        except GaveUp:
            pass
        events["over"].set()

    threading.Thread(target=run, daemon=True).start()
    try:
        yield events
    finally:
        events["end"].set()
        assert events["over"].wait(LONG)


def test_one_runs_and_the_next_is_told_where_they_stand() -> None:
    queues, told = Queues(places={"machine": 1}), threading.Event()
    places: list[Place] = []
    with going(queues, "a") as first, going(queues, "b", lambda place: (places.append(place), told.set())) as second:
        assert first["began"].wait(LONG) and told.wait(LONG)
        assert not second["began"].is_set() and places[0].ahead == 0 and places[0].seconds > 0
        (seen,) = queues.seen()
        assert (seen.running, seen.waiting) == (("a",), ("b",))
        first["end"].set()
        assert second["began"].wait(LONG)


def test_nobody_begins_while_the_class_is_paused() -> None:
    queues = Queues(places={"machine": 1})
    paused, told = threading.Event(), threading.Event()
    paused.set()

    def run() -> None:
        with queues.turn("machine", "k", "a", lambda place: told.set(), lambda: not paused.is_set()):
            began.set()

    began = threading.Event()
    threading.Thread(target=run, daemon=True).start()
    assert told.wait(LONG) and not began.wait(0.5)
    paused.clear()
    assert began.wait(LONG)


def test_who_leaves_while_they_wait_holds_no_place() -> None:
    queues, left = Queues(places={"machine": 1}), threading.Event()

    def tell(place: Place) -> None:
        if left.is_set():
            raise GaveUp

    with going(queues, "a") as first:
        assert first["began"].wait(LONG)
        with going(queues, "b", tell) as second:
            left.set()
            assert second["over"].wait(LONG) and not second["began"].is_set()
        (seen,) = queues.seen()
        assert seen.waiting == ()


def test_a_run_that_fails_lets_its_place_go() -> None:
    queues = Queues(places={"machine": 1})
    with pytest.raises(ZeroDivisionError), queues.turn("machine", "k", "a"):
        raise ZeroDivisionError
    with queues.turn("machine", "k", "b"):
        pass


def test_a_person_may_have_only_so_many_waiting() -> None:
    queues = Queues(places={"machine": 1})
    with queues.turn("machine", "k", "x"):
        order = queues._orders["machine"]
        for _ in range(MOST):
            order.add("a", 1)
        with pytest.raises(LimitReached, match="waiting already"), queues.turn("machine", "k", "a"):
            pass


def test_the_time_to_wait_is_learned_from_what_runs_took() -> None:
    queues = Queues(places={"machine": 1})
    for _ in range(20):
        with queues.turn("machine", "quick", "a"):
            pass
    places: list[Place] = []

    def tell(place: Place) -> None:
        places.append(place)
        raise GaveUp

    with queues.turn("machine", "quick", "a"), pytest.raises(GaveUp), queues.turn("machine", "quick", "b", tell):
        pass
    assert places[0].seconds < 1
