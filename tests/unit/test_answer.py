"""An answer grows at a screen's pace, loses nothing, and keeps what came before an error."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from shared.chat.answer import Answer, answers
from shared.errors import BackendError
from shared.events import Event, Final, Partial, Progress, Token
from shared.outputs import ChatOutput
from shared.receipts import Receipt

RECEIPT = Receipt(model="m", name="M", task="conversational", backend="fake", mode="local", license="MIT")


def final(text: str, reason: str = "stop") -> Final:
    return Final(ChatOutput(text=text, finish_reason=reason), RECEIPT)  # type: ignore[arg-type]


def came(*events: Event) -> Iterator[Event]:
    """A run of these events."""
    yield from events


def paced(pieces: int, pause: float) -> Iterator[Event]:
    """An engine that says a letter, pauses, and says the next."""
    for _ in range(pieces):
        yield Partial("x")
        time.sleep(pause)
    yield final("x" * pieces)


def test_a_fast_engine_is_shown_at_the_screens_pace() -> None:
    began = time.monotonic()
    told = list(answers(paced(200, 0.002), interval=0.1))
    spent = time.monotonic() - began
    assert 3 <= len(told) <= spent / 0.1 + 2, "the first at once, one an interval, and the end"
    lengths = [len(answer.text) for answer in told]
    assert lengths[0] == 1, "the first piece is shown at once"
    assert lengths == sorted(lengths) and lengths[-1] == 200


def test_a_slow_engines_every_piece_is_shown() -> None:
    told = [answer.text for answer in answers(paced(4, 0.03), interval=0.01)]
    assert told == ["x", "xx", "xxx", "xxxx", "xxxx"]


def test_the_first_piece_is_shown_at_once_even_right_after_a_message() -> None:
    told = list(answers(came(Progress("Loading"), Partial("a"), Partial("b"), final("ab")), interval=60))
    assert [(a.text, a.status) for a in told] == [("", "Loading"), ("a", ""), ("ab", "")]


def test_the_end_is_shown_whole_and_with_its_receipt() -> None:
    *_, last = answers(came(Partial("a"), Partial("b"), final("ab", "length")), interval=60)
    assert last == Answer(text="ab", finish_reason="length", receipt=RECEIPT)
    assert last.done


def test_thinking_and_tokens_are_kept_apart_from_the_text() -> None:
    one, two = Token("a", -0.1), Token("b", -0.2)
    pieces = [Partial(thinking="hm"), Partial("a", tokens=(one,)), Partial("b", thinking="m", tokens=(two,))]
    *_, last = answers(came(*pieces), interval=0)
    assert (last.text, last.thinking, last.tokens, last.done) == ("ab", "hmm", (one, two), False)


@pytest.mark.parametrize(
    ("progress", "status"),
    [
        (Progress("Loading"), "Loading"),
        (Progress("Downloading", 1, 4), "Downloading · 25%"),
        (Progress("Loading", elapsed=0.4), "Loading"),
        (Progress("Downloading", 0, 4, 12.3), "Downloading · 0% · 12 s"),
        (Progress("Step", 3, None), "Step"),
        (Progress("Step", 3, 0), "Step"),
    ],
)
def test_a_wait_says_how_far_it_is(progress: Progress, status: str) -> None:
    assert [a.status for a in answers(came(progress))] == [status]


def breaking(error: BackendError) -> Iterator[Event]:
    yield Partial("a")
    yield Partial("b")
    raise error


def test_an_error_ends_the_answer_and_stands_in_it_with_all_that_came() -> None:
    error = BackendError("It broke.")
    *_, last = answers(breaking(error), interval=60)
    assert (last.text, last.error, last.receipt, last.done) == ("ab", error, None, True)


def test_an_error_that_brings_its_half_answer_keeps_that_and_its_receipt() -> None:
    error = BackendError("It broke.")
    error.partial = final("ab", "cut")
    *_, last = answers(breaking(error), interval=60)
    assert (last.text, last.finish_reason, last.receipt, last.error) == ("ab", "cut", RECEIPT, error)


def test_an_error_before_anything_came_is_an_answer_too() -> None:
    def broken() -> Iterator[Event]:
        raise BackendError("It broke.")
        yield

    (only,) = answers(broken())
    assert only.done and only.text == "" and str(only.error) == "It broke."


def test_one_who_leaves_closes_the_run() -> None:
    closed: list[bool] = []

    def run() -> Iterator[Event]:
        try:
            yield Partial("a")
            yield Partial("b")
        finally:
            closed.append(True)

    told = answers(run(), interval=0)
    next(told)
    told.close()  # type: ignore[attr-defined]
    assert closed == [True]
