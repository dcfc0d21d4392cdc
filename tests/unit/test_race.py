"""Several answers grow side by side, and a slow one keeps no other waiting."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from shared.chat.answer import Answer, answers
from shared.comparing import at_once
from shared.errors import BackendError
from tests.support.fakes import PATIENCE, FakeBackend, a_variant, an_engine, ask, fail, say

WAITING = Answer(status="Waiting")


def saying(*texts: str, before_last: threading.Event | None = None) -> Callable[[], Iterator[Answer]]:
    """A run whose text grows through these; it waits for the event before it says the last."""

    def run() -> Iterator[Answer]:
        for text in texts[:-1]:
            yield Answer(text=text)
        if before_last:
            assert before_last.wait(PATIENCE)
        yield Answer(text=texts[-1], finish_reason="stop")

    return run


def test_all_end_with_their_whole_answers_in_the_order_asked() -> None:
    *_, last = at_once([saying("a", "ab"), saying("c"), saying("d", "de", "def")], WAITING, interval=0.01)
    assert [answer.text for answer in last] == ["ab", "c", "def"]


def test_they_run_at_once_and_a_slow_one_keeps_no_other_waiting() -> None:
    slow = threading.Event()
    seen = []
    for shown in at_once([saying("slow", "slow end", before_last=slow), saying("fast")], WAITING, interval=0.005):
        seen.append([answer.text for answer in shown])
        if seen[-1] == ["slow", "fast"]:
            slow.set()
    assert ["slow", "fast"] in seen and seen[-1] == ["slow end", "fast"]


def test_they_wait_for_each_other_to_begin() -> None:
    """Each goes on only when the others have begun too, which a race one after another could never do."""
    barrier = threading.Barrier(4)

    def run() -> Iterator[Answer]:
        barrier.wait(PATIENCE)
        yield Answer(text="met")

    *_, last = at_once([run] * 4, WAITING, interval=0.01)
    assert [answer.text for answer in last] == ["met"] * 4


def test_before_anything_came_each_says_that_it_waits() -> None:
    gate = threading.Event()
    shown = at_once([saying("a", before_last=gate)] * 2, WAITING, interval=0.005)
    assert [answer.status for answer in next(shown)] == ["Waiting", "Waiting"]
    gate.set()
    assert [answer.text for answer in list(shown)[-1]] == ["a", "a"]


def test_what_was_shown_does_not_change_afterwards() -> None:
    gate = threading.Event()
    shown = at_once([saying("a", before_last=gate)], WAITING, interval=0.005)
    first = next(shown)
    gate.set()
    list(shown)
    assert first[0].text == ""


def test_leaving_does_not_wait_for_the_runs() -> None:
    gate = threading.Event()
    shown = at_once([saying("a", before_last=gate)], WAITING, interval=0.005)
    next(shown)
    closer = threading.Thread(target=shown.close)  # type: ignore[attr-defined]
    closer.start()
    closer.join(PATIENCE / 2)
    left = not closer.is_alive()
    gate.set()
    assert left


def test_an_engine_that_fails_stands_beside_those_that_answer(add: Callable[[FakeBackend], FakeBackend]) -> None:
    good, bad = add(FakeBackend("good", run=say("Hello"))), add(FakeBackend("bad", run=fail(BackendError("No."))))
    engines = [an_engine(a_variant(backend)) for backend in (good, bad)]
    runners = [lambda engine=engine: answers(engine.generate("m", ask())) for engine in engines]
    *_, last = at_once(runners, WAITING, interval=0.01)
    assert [(a.text, str(a.error or "")) for a in last] == [("Hello", ""), ("", "No.")]
