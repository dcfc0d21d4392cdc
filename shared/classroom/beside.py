"""A class's turns for work that asks no engine: the same rules, budgets and fairness as for runs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from shared.classroom import identity
from shared.classroom.desk import EVERYBODY, Class, own
from shared.classroom.queueing import BESIDE, Place
from shared.classroom.rules import admitted
from shared.state.ledger import Unit

SET_ASIDE = 60.0  # seconds of this machine's work that are reserved; what it really took is charged


class Beside:
    """A `Turn` (see `shared/operation/beside.py`)."""

    def __init__(self, room: Class) -> None:
        self._room = room

    @contextmanager
    def __call__(self) -> Iterator[Iterator[str]]:
        """Raises `InferenceError`, saying what the teacher set, or that too much waits or was spent."""
        if self._room.is_teacher(identity.teacher_token()):
            yield iter(())
            return
        room = self._room.room
        person = admitted(room.facts, room.person(identity.token())).id
        turn = self._room.queues.standing(BESIDE, BESIDE, person, lambda: not room.facts.paused)
        with self._paid(person) as began, turn as places:
            yield self._told(places, began)

    def _told(self, places: Iterator[Place], began: list[float]) -> Iterator[str]:
        for place in places:
            yield place.words
        began.append(time.monotonic())

    @contextmanager
    def _paid(self, person: str) -> Iterator[list[float]]:
        """Reserved before, and charged for as long as it went on since it `began`."""
        self._room.settle_caps(person)
        ledger, began = self._room.ledger, list[float]()
        reserved = ledger.reserve((EVERYBODY, own(person)), {Unit.GPU_SECONDS: SET_ASIDE})
        try:
            yield began
        finally:
            if began:
                ledger.settle(reserved, {Unit.GPU_SECONDS: time.monotonic() - began[0]})
            else:
                ledger.refund(reserved)
