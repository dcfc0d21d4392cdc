"""Makes the next item of a row while the present one is used, where the two don't need each other."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")
_END = object()


def ahead(items: Iterator[T]) -> Generator[T, None, None]:
    """The items in their order, each begun in a thread of its own as soon as the one before it is handed over.

    Raises what making one raises, when its turn comes. Close it where you leave early: it waits for the one that is
    being made, and makes no further one.
    """
    with ThreadPoolExecutor(1, "ahead") as pool:
        following: Any = pool.submit(next, items, _END)
        while (item := following.result()) is not _END:
            following = pool.submit(next, items, _END)
            yield item
