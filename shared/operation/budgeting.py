"""Keeps the engine's runs within budgets: reserved before a run, settled or given back after it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from shared.operation.estimating import estimate, own_charge, taken
from shared.operation.seen import Seen
from shared.state.ledger import Ledger, Unit

SERVER = "server"  # the account of all that costs the server's keeper
Accounts = Callable[[Seen], Sequence[str]]


def everybody(_: Seen) -> Sequence[str]:
    """All runs are the server's."""
    return (SERVER,)


class Budgeting:
    """A watcher. `accounts`: who pays for a run, all of them in full (a class and a person, say); nobody: it is free.

    A run with the visitor's own key is theirs to pay. One that goes on with a job was paid for when that was sent.
    `caps`: what `SERVER` may spend, set at the first run.
    """

    def __init__(
        self, ledger: Ledger, accounts: Accounts = everybody, caps: Mapping[Unit, float] | None = None
    ) -> None:
        self._ledger, self._accounts = ledger, accounts
        self._caps = dict(caps or {})
        self._lock = threading.Lock()

    @contextmanager
    def __call__(self, seen: Seen) -> Iterator[None]:
        """Raises `BudgetSpent` where too little is left."""
        accounts = () if seen.resumes or own_charge(seen) else self._accounts(seen)
        if not accounts:
            yield
            return
        self._set_caps()
        amounts = estimate(seen)
        reserved = self._ledger.reserve(accounts, amounts)
        try:
            yield
        finally:
            self._close(reserved, seen, amounts)

    def _close(self, reserved: str, seen: Seen, amounts: dict[Unit, float]) -> None:
        ended = seen.final is not None and not (seen.sent and seen.outcome == "stopped")
        if seen.receipt is not None and (ended or not seen.sent):
            self._ledger.settle(reserved, taken(seen.receipt, amounts))
        elif seen.sent:  # the provider may charge it, now or when somebody comes back for it
            self._ledger.charge_all(reserved)
        else:
            self._ledger.refund(reserved)

    def _set_caps(self) -> None:
        with self._lock:
            for unit, cap in self._caps.items():
                self._ledger.set_cap(SERVER, unit, cap)
            self._caps = {}
