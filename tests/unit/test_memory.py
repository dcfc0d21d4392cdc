"""What a run adds to the process's memory is seen, also where many runs look at the same time."""

from __future__ import annotations

import time
from contextlib import ExitStack

from shared.memory import PeakMemory

SIZE = 200 * 1024 * 1024  # bytes


def test_each_of_many_runs_sees_what_was_held_while_it_went_on() -> None:
    with ExitStack() as stack:
        watching = [stack.enter_context(PeakMemory()) for _ in range(20)]
        held = bytearray(b"x") * SIZE
        time.sleep(0.3)
        del held
    assert all(0.9 * SIZE / 2**30 < each.growth_gb < 3 * SIZE / 2**30 for each in watching)


def test_what_was_held_before_a_run_is_not_its_own() -> None:
    held = bytearray(b"x") * SIZE
    with PeakMemory():
        time.sleep(0.15)
    del held
    with PeakMemory() as after:
        time.sleep(0.25)
    assert after.growth_gb < 0.5 * SIZE / 2**30
