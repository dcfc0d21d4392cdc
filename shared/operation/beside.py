"""Work of a page that asks no engine, such as learning a scene or cutting a film. Whoever serves the page may have it
wait for its turn, as runs of engines do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

# For the length of the block the work is theirs who ask in this thread; what it gives tells again and again where they
# stand, and ends when they may begin. Both raise `InferenceError` where they may not.
Turn = Callable[[], AbstractContextManager[Iterator[str]]]


def _at_once() -> AbstractContextManager[Iterator[str]]:
    return nullcontext(iter(()))


_turn: Turn = _at_once


def taken_by(turn: Turn | None) -> None:
    """From now on that says whose turn it is; None: everybody's, at once."""
    global _turn
    _turn = turn or _at_once


def turn() -> AbstractContextManager[Iterator[str]]:
    """A turn: see `Turn`."""
    return _turn()


@contextmanager
def in_turn() -> Iterator[None]:
    """The block begins when it may, in this thread."""
    with turn() as waiting:
        for _ in waiting:
            pass
        yield
