"""Runs that are compared take turns, go on where one fails, and stop where they are told to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from shared.comparing import in_turn
from shared.errors import BackendError, InferenceError, InvalidRequest
from shared.pacing import SoFar
from shared.seeds_compared import Way, ways
from shared.streaming import CancelToken


@dataclass(frozen=True, kw_only=True)
class Said(SoFar):
    """What a run has said."""

    text: str = ""


def failed(error: InferenceError) -> Said:
    return Said(error=error)


def speaking(*texts: str) -> object:
    def run(cancel: CancelToken) -> Iterator[Said]:
        for text in texts:
            if cancel.cancelled:
                yield Said(text="stopped")
                return
            yield Said(text=text)

    return run


def broken(cancel: CancelToken) -> Iterator[Said]:
    yield Said(text="half")
    raise BackendError("It broke.")


def test_they_take_turns_and_one_that_fails_holds_its_error() -> None:
    told = list(in_turn([speaking("a", "b"), broken, speaking("c")], Said(text="…"), failed))  # type: ignore[list-item]
    assert [[s.text for s in row] for row in told][:4] == [
        ["a", "…", "…"],
        ["b", "…", "…"],
        ["b", "half", "…"],
        ["b", "", "…"],
    ]
    assert isinstance(told[-1][1].error, BackendError) and told[-1][2].text == "c"


def test_stop_ends_the_one_that_goes_on_and_those_to_come() -> None:
    stop, rows = CancelToken(), []
    for row in in_turn([speaking("a", "b", "c"), speaking("d")], Said(text="…"), failed, stop):  # type: ignore[list-item]
        rows.append([s.text for s in row])
        stop.cancel()
    assert rows == [["a", "…"], ["stopped", "…"], ["stopped", "…"]]


def test_every_engine_gets_the_same_seeds() -> None:
    engines = [("m", "one"), ("m", "two")]
    assert ways(engines, 5, 2) == [Way("m", "one", 5), Way("m", "one", 6), Way("m", "two", 5), Way("m", "two", 6)]
    drawn = ways(engines, None, 2)
    assert [w.seed for w in drawn[:2]] == [w.seed for w in drawn[2:]] and drawn[1].seed == drawn[0].seed + 1
    for wrong in ([], engines * 3):
        with pytest.raises(InvalidRequest, match="engines times seeds"):
            ways(wrong, 5, 2)
