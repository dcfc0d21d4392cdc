"""The next item is made while the present one is used: in order, errors at their turn, and no further than asked."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import pytest

from shared.ahead import ahead

LONG = 30  # seconds, for what should take none


def test_items_come_in_their_order_and_each_is_begun_before_the_one_before_it_is_done_with() -> None:
    begun = [threading.Event() for _ in range(3)]

    def items() -> Iterator[int]:
        for number, event in enumerate(begun):
            event.set()
            yield number

    seen = []
    for item in ahead(items()):
        seen.append(item)
        assert item == 2 or begun[item + 1].wait(LONG)
    assert seen == [0, 1, 2]


def test_an_error_comes_after_the_items_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("the second")

    seen = []
    with pytest.raises(ValueError, match="the second"):
        for item in ahead(items()):
            seen.append(item)
    assert seen == [1]


def test_who_leaves_early_has_at_most_one_more_made() -> None:
    made = []

    def items() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    with contextlib.closing(ahead(items())) as row:
        assert next(row) == 0
    assert made in ([0], [0, 1])
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ahead")]
