"""Several runs one after the other, so that none slows another, told of together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from typing import TypeVar

from shared.errors import InferenceError
from shared.pacing import SoFar
from shared.streaming import CancelToken

Shown = TypeVar("Shown", bound=SoFar)


def in_turn(
    runs: Sequence[Callable[[CancelToken], Iterator[Shown]]],
    waiting: Shown,
    failed: Callable[[InferenceError], Shown],
    cancel: CancelToken | None = None,
) -> Iterator[list[Shown]]:
    """What has come of each run, each time more has come of one. `cancel` stops the one that goes on and those to come.

    `waiting`: what there is of one that has not begun; `failed`: of one that could not. The others go on after it.
    """
    said = [waiting for _ in runs]
    for number, run in enumerate(runs):
        if cancel is not None and cancel.cancelled:
            break
        for said[number] in _one(run, failed, cancel):
            yield list(said)
    yield list(said)


def _one(
    run: Callable[[CancelToken], Iterator[Shown]],
    failed: Callable[[InferenceError], Shown],
    cancel: CancelToken | None,
) -> Iterator[Shown]:
    # A switch of its own for each run, since one that has ended leaves its own pressed.
    own = CancelToken()
    try:
        with nullcontext() if cancel is None else cancel.on_cancel(own.cancel):
            yield from run(own)
    except InferenceError as error:
        yield failed(error)
