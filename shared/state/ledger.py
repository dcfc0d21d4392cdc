"""Budgets: what an account may spend, in several units, kept to by all servers that share the state.

A run reserves the most that it may take before it starts, from every account that pays for it (a class and a person,
say) or from none; at its end it settles what it really took, or is refunded. So what is spent and what is reserved
never exceed the cap together, and a hosted engine stops at the cap, not after it. Should a provider charge more than
was reserved, that is written down as it is, and nothing begins on that account until its cap is raised.

A server that dies leaves reservations behind. Each server (a "front") tells every few seconds that it lives while it
holds any; those of one that was silent for `LEASE` are closed by rule: money is charged in full, since the provider
may well charge it, everything else is given back, since nobody got anything. If the silent one lives after all (it was
asleep), its own settling corrects that.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from typing import TYPE_CHECKING

from shared.errors import LimitReached
from shared.state.database import Database, sql
from shared.state.living import LEASE, Living

if TYPE_CHECKING:
    from sqlalchemy import Connection

_PARTS = 1_000_000  # of a unit: sums of whole numbers are exact
_MOST = 1e12  # of a unit, so that millionths fit into 64 bits
_OLD = 7 * 86_400.0  # seconds that closed reservations are kept


class Unit(StrEnum):
    """What is counted: US dollars, seconds of a GPU's (or this machine's) work, pictures, tokens both ways."""

    MONEY = "money"
    GPU_SECONDS = "gpu_seconds"
    IMAGES = "images"
    TOKENS = "tokens"


_NAMES = {Unit.MONEY: "dollars", Unit.GPU_SECONDS: "seconds of work", Unit.IMAGES: "pictures", Unit.TOKENS: "tokens"}
Amounts = Mapping[Unit, float]


class BudgetSpent(LimitReached):
    """An account has too little left for a run. `account`, `unit`, and what is `left` and was `asked` of it."""

    def __init__(self, account: str, unit: Unit, left: float, asked: float) -> None:
        self.account, self.unit, self.left, self.asked = account, unit, left, asked
        super().__init__(
            f"The budget is too small for this run: it may take up to {_words(asked, unit)}, and "
            f"{_words(max(left, 0.0), unit)} are left. Ask for less, choose a model that costs nothing, or ask whoever "
            "keeps the budget to raise it."
        )


@dataclass(frozen=True)
class Balance:
    """How one account stands in one unit. `cap`: None where there is none."""

    account: str
    unit: Unit
    cap: float | None
    spent: float
    reserved: float

    @property
    def left(self) -> float | None:
        """What may still be reserved; None where there is no cap."""
        return None if self.cap is None else self.cap - self.spent - self.reserved


class Ledger:
    """All budgets in one database. Safe to share between threads and processes. Methods raise `StateUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._living = Living(database)

    def set_cap(self, account: str, unit: Unit, cap: float | None) -> None:
        """What the account may spend of that altogether; None for as much as it likes."""
        put = (
            "INSERT INTO budgets (account, unit, cap, spent, reserved) VALUES (:account, :unit, :cap, 0, 0) "
            "ON CONFLICT (account, unit) DO UPDATE SET cap = excluded.cap"
        )
        with self._database.writing() as connection:
            sql(connection, put, account=account, unit=str(unit), cap=None if cap is None else _parts(cap))

    def reset(self, account: str, unit: Unit | None = None) -> None:
        """Nothing is spent any more, of that or of all. What runs now stays reserved, and is charged at its end."""
        which = "account = :account" + (" AND unit = :unit" if unit else "")
        with self._database.writing() as connection:
            sql(connection, f"UPDATE budgets SET spent = 0 WHERE {which}", account=account, unit=str(unit))

    def balances(self, *accounts: str) -> list[Balance]:
        """How these accounts stand, or all; what is in no row was never capped nor spent."""
        if self._database.empty:
            return []
        self._close_silent()
        with self._database.reading() as connection:
            every = "SELECT account, unit, cap, spent, reserved FROM budgets"
            names = {f"a{number}": account for number, account in enumerate(accounts)}
            some = f" WHERE account IN ({', '.join(f':{name}' for name in names)})" if names else ""
            rows = sql(connection, f"{every}{some} ORDER BY account, unit", **names).all()
        return [
            Balance(r.account, Unit(r.unit), None if r.cap is None else r.cap / _PARTS, *_whole(r.spent, r.reserved))
            for r in rows
        ]

    def reserve(self, accounts: Iterable[str], amounts: Amounts) -> str:
        """Set that aside on every one of the accounts; returns the reservation's id. Raises `BudgetSpent`, and then
        nothing is set aside anywhere."""
        name = secrets.token_urlsafe(12)
        # In one order everywhere: two that lock the same rows the other way round would wait for each other for ever.
        wanted = sorted(
            (account, unit, _parts(amount)) for account in set(accounts) for unit, amount in amounts.items()
        )
        self._close_silent()
        with self._database.writing() as connection:
            now = self._database.now(connection)
            self._living.told(connection, now)
            put = "INSERT INTO reservations (id, front, state, created) VALUES (:id, :front, 'held', :now)"
            sql(connection, put, id=name, front=self._living.front, now=now)
            for account, unit, amount in wanted:
                _set_aside(connection, name, account, unit, amount)
        self._living.holds(name)
        return name

    def settle(self, reservation: str, amounts: Amounts) -> None:
        """The run took that: charge it, and give back the rest. Done once: a second time nothing happens.

        Units that were not reserved are charged too, so that the account shows all that was spent.
        """
        self._close(reservation, amounts, "settled")

    def refund(self, reservation: str) -> None:
        """The run came to nothing: give everything back. Done once, as `settle` is."""
        self._close(reservation, {}, "refunded")

    def charge_all(self, reservation: str) -> None:
        """What the run took is not known, but may be charged: count all that was reserved as spent."""
        self._close(reservation, None, "settled")

    def _close(self, reservation: str, amounts: Amounts | None, state: str) -> None:
        """`amounts`: None for as much as is held."""
        with self._database.writing() as connection:
            closed = "UPDATE reservations SET state = :state WHERE id = :id AND state IN ('held', 'expired')"
            if sql(connection, closed, id=reservation, state=state).rowcount:
                _charge(connection, reservation, amounts)
        self._living.lets_go(reservation)

    def forget_old(self) -> None:
        """Take out reservations that were closed a week ago. Budgets stay as they are."""
        closed = "SELECT id FROM reservations WHERE state <> 'held' AND created < :old"
        with self._database.writing() as connection:
            old = self._database.now(connection) - _OLD
            sql(connection, f"DELETE FROM holds WHERE reservation IN ({closed})", old=old)
            sql(connection, "DELETE FROM reservations WHERE state <> 'held' AND created < :old", old=old)

    def _close_silent(self) -> None:
        """The rule for what a dead server left behind: see this module's head. Each by itself, so that no two wait for
        each other's accounts."""
        silent = (
            "SELECT id FROM reservations WHERE state = 'held' AND front <> :me AND front NOT IN "
            "(SELECT id FROM fronts WHERE seen >= :since AND seen <= :until)"
        )
        with self._database.reading() as connection:
            now = self._database.now(connection)
            # One that was seen later than now was seen before the clock was set back: no sign of life.
            seen = {"since": now - LEASE, "until": now + LEASE}
            found = sql(connection, silent, me=self._living.front, **seen).scalars().all()
        for name in found:
            with self._database.writing() as connection:
                expired = "UPDATE reservations SET state = 'expired' WHERE id = :id AND state = 'held'"
                if sql(connection, expired, id=name).rowcount:
                    held = "SELECT MAX(held) FROM holds WHERE reservation = :id AND unit = :unit"
                    money = sql(connection, held, id=name, unit=str(Unit.MONEY)).scalar_one()
                    _charge(connection, name, {Unit.MONEY: money / _PARTS} if money else {})


def _set_aside(connection: Connection, reservation: str, account: str, unit: Unit, amount: int) -> None:
    row = {"account": account, "unit": str(unit)}
    _row_of(connection, row)
    # In one statement: between a look and a change another could take what was seen.
    fits = (
        "UPDATE budgets SET reserved = reserved + :amount WHERE account = :account AND unit = :unit "
        "AND (cap IS NULL OR :amount = 0 OR spent + reserved + :amount <= cap)"
    )
    if not sql(connection, fits, amount=amount, **row).rowcount:
        asked = "SELECT cap - spent - reserved FROM budgets WHERE account = :account AND unit = :unit"
        left = sql(connection, asked, **row).scalar_one()
        raise BudgetSpent(account, unit, left / _PARTS, amount / _PARTS)
    put = "INSERT INTO holds (reservation, account, unit, held, charged) VALUES (:id, :account, :unit, :amount, 0)"
    sql(connection, put, id=reservation, amount=amount, **row)


def _charge(connection: Connection, reservation: str, amounts: Amounts | None) -> None:
    """Move what is held, or what was charged by rule, to what is spent. `amounts`: None for as much as is held."""
    rows = sql(
        connection, "SELECT account, unit, held, charged FROM holds WHERE reservation = :id", id=reservation
    ).all()
    holds = {(row.account, Unit(row.unit)): row for row in rows}
    more = [(account, unit) for account in {row.account for row in rows} for unit in (amounts or {})]
    for account, unit in sorted({*holds, *more}):
        known = holds.get((account, unit))
        held, before = (known.held, known.charged) if known else (0, 0)
        spent = held if amounts is None else _parts(amounts.get(unit, 0.0))
        row = {"account": account, "unit": str(unit)}
        _row_of(connection, row)
        change = "UPDATE budgets SET reserved = reserved - :held, spent = spent + :more WHERE account = :account"
        sql(connection, f"{change} AND unit = :unit", held=held, more=spent - before, **row)
        put = (
            "INSERT INTO holds (reservation, account, unit, held, charged) VALUES (:id, :account, :unit, 0, :spent) "
            "ON CONFLICT (reservation, account, unit) DO UPDATE SET held = 0, charged = excluded.charged"
        )
        sql(connection, put, id=reservation, spent=spent, **row)


def _row_of(connection: Connection, row: Mapping[str, str]) -> None:
    put = "INSERT INTO budgets (account, unit, cap, spent, reserved) VALUES (:account, :unit, NULL, 0, 0)"
    sql(connection, f"{put} ON CONFLICT DO NOTHING", **row)


def _parts(amount: float) -> int:
    """Rounded up: what is reserved must be enough."""
    if not 0 <= amount <= _MOST:
        raise ValueError(f"an amount can't be {amount}")
    return ceil(round(amount * _PARTS, 3))


def _whole(*parts: int) -> Sequence[float]:
    return [each / _PARTS for each in parts]


def _words(amount: float, unit: Unit) -> str:
    return f"${amount:.4f}" if unit == Unit.MONEY else f"{amount:,.0f} {_NAMES[unit]}"
