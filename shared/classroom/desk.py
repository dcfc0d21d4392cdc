"""A class with all that belongs to it: the room, the queues, the budgets, the works, and who is the teacher."""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections.abc import Callable
from functools import cached_property

from shared.classroom.codes import Slowing
from shared.classroom.going import Going
from shared.classroom.names import words
from shared.classroom.queueing import Queues
from shared.classroom.room import Room
from shared.classroom.works import Works
from shared.jobs.owners import Owners
from shared.jobs.store import JobStore
from shared.settings import Settings
from shared.state.database import database_of
from shared.state.history import history_of
from shared.state.ledger import Ledger, Unit
from shared.state.shares import shares_of

EVERYBODY = "class"  # the account of all together
TEACHER = "teacher"  # who no rule holds for


def passphrase() -> str:
    """Six words by chance: at a thousand guesses a second, whoever waits for no answer needs two years for them all."""
    return "-".join(secrets.choice(words("passphrase")) for _ in range(6))


def own(person: str) -> str:
    """The account of one person."""
    return f"{EVERYBODY}:{person}"


class Class:
    """One class of one server. `phrase`: what makes somebody its teacher; `clock`: what dates works, and no more."""

    def __init__(self, settings: Settings, phrase: str, clock: Callable[[], float] = time.time) -> None:
        self.settings, self.phrase = settings, phrase
        database = database_of(settings)
        self.room = Room(settings, database)
        self.guesses = Slowing()  # of the code; each server that shares the room counts its own
        self.queues, self.going = Queues(), Going()
        self.ledger = Ledger(database)
        self.works = Works(database, settings.data_dir / "class-works", clock)
        self._teachers = Owners(settings.data_dir / "class-teachers", database, "teachers.key")
        self._lock = threading.Lock()
        self._capped: dict[str, object] = {}
        self.address = ""  # where others reach the server, once it is known

    # The teacher

    def teach(self, phrase: str) -> str | None:
        """A token for who knows the passphrase; None for others."""
        right = hmac.compare_digest(phrase.strip().casefold().encode(), self.phrase.encode())
        return f"{self._teachers.new()}.{self._stamp}" if right else None

    def is_teacher(self, token: object) -> bool:
        """Whether that token was given out for the present passphrase."""
        signed, _, stamp = str(token or "").rpartition(".")
        return hmac.compare_digest(stamp.encode(), self._stamp.encode()) and bool(self._teachers.owner(signed))

    @cached_property
    def _stamp(self) -> str:
        import hashlib

        return hashlib.sha256(f"class teacher {self.phrase}".encode()).hexdigest()[:16]

    # Budgets

    def settle_caps(self, person: str) -> None:
        """Have the ledger keep to what the teacher set for everybody and for each person."""
        facts = self.room.facts
        with self._lock:
            for account, caps in ((EVERYBODY, facts.caps), (own(person), facts.own)):
                told = tuple(sorted(caps.items()))
                if self._capped.get(account, ()) != told:
                    for unit in Unit:
                        self.ledger.set_cap(account, unit, caps.get(str(unit)))
                    self._capped[account] = told

    def delete_all(self) -> None:
        """The room, its works, what ran and the budgets: nothing of anybody is left."""
        self.works.remove_all()
        history_of(self.settings).forget_class()
        shares_of(self.settings).forget_class()
        JobStore(self.settings.data_dir / "jobs", database_of(self.settings)).forget_class()
        for balance in self.ledger.balances():
            if balance.account == EVERYBODY or balance.account.startswith(f"{EVERYBODY}:"):
                self.ledger.set_cap(balance.account, balance.unit, None)
                self.ledger.reset(balance.account)
        self._capped.clear()
        self.room.delete_all()


_OPEN: dict[str, Class] = {}
_OPENING = threading.Lock()


def class_of(settings: Settings) -> Class:
    """The process's one class of these settings: all its Spaces are in it."""
    key = str(settings.database_url.reveal() if settings.database_url else settings.data_dir)
    with _OPENING:
        if key not in _OPEN:
            told = settings.class_passphrase
            _OPEN[key] = Class(settings, told.reveal().casefold() if told else passphrase())
        return _OPEN[key]
