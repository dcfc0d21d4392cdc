"""Budgets on SQLite and on a real PostgreSQL: kept to by many threads and processes, right after a server's death."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import Connection

from shared.state.database import FILE, Database, sql
from shared.state.history import History
from shared.state.ledger import Balance, BudgetSpent, Ledger, Unit
from shared.state.living import LEASE, Living
from tests.support.server import ROOT

Opener = Callable[[], Database]
MONEY, IMAGES, TOKENS, GPU = Unit.MONEY, Unit.IMAGES, Unit.TOKENS, Unit.GPU_SECONDS


def of(ledger: Ledger, account: str, unit: Unit = MONEY) -> Balance:
    return next(each for each in ledger.balances(account) if each.unit == unit)


def test_a_run_reserves_settles_and_gives_the_rest_back(opened: Opener) -> None:
    ledger = Ledger(opened())
    assert ledger.balances() == []
    ledger.set_cap("class", MONEY, 1.0)
    run = ledger.reserve(["class", "ada"], {MONEY: 0.4, IMAGES: 2})
    assert of(ledger, "class") == Balance("class", MONEY, 1.0, 0.0, 0.4) and of(ledger, "class").left == 0.6
    ledger.settle(run, {MONEY: 0.1, IMAGES: 2, TOKENS: 30})
    ledger.settle(run, {MONEY: 0.4})  # once: nothing happens
    ledger.refund(run)
    assert of(ledger, "class") == Balance("class", MONEY, 1.0, 0.1, 0.0)
    assert of(ledger, "ada", TOKENS).spent == 30 and of(ledger, "ada", IMAGES).spent == 2
    assert of(Ledger(opened()), "ada").cap is None  # another server sees the same
    ledger.reset("ada", IMAGES)
    assert (of(ledger, "ada", IMAGES).spent, of(ledger, "ada").spent) == (0, 0.1)


def test_what_doesnt_fit_is_refused_everywhere_or_nowhere(opened: Opener) -> None:
    ledger = Ledger(opened())
    ledger.set_cap("class", MONEY, 1.0)
    ledger.set_cap("ada", IMAGES, 3)
    with pytest.raises(BudgetSpent, match=r"4 pictures.*3 pictures are left") as refused:
        ledger.reserve(["class", "ada"], {MONEY: 0.5, IMAGES: 4})
    assert (refused.value.account, refused.value.unit, refused.value.left) == ("ada", IMAGES, 3)
    assert of(ledger, "class").reserved == 0
    ledger.reserve(["class", "ada"], {MONEY: 0.5, IMAGES: 3})
    for amounts in ({MONEY: 0.500001}, {IMAGES: 1}):
        with pytest.raises(BudgetSpent):
            ledger.reserve(["class", "ada"], amounts)
    ledger.set_cap("ada", IMAGES, None)
    ledger.reserve(["class", "ada"], {MONEY: 0.5, IMAGES: 100})


@pytest.mark.parametrize("amount", [-1.0, float("nan"), float("inf")])
def test_no_amount_is_negative_or_without_end(opened: Opener, amount: float) -> None:
    with pytest.raises(ValueError, match="an amount"):
        Ledger(opened()).reserve(["ada"], {MONEY: amount})


def test_a_failed_run_is_refunded_and_an_unsure_one_charged(opened: Opener) -> None:
    ledger = Ledger(opened())
    failed, unsure = (ledger.reserve(["ada"], {MONEY: 0.3, IMAGES: 1}) for _ in range(2))
    ledger.refund(failed)
    assert of(ledger, "ada") == Balance("ada", MONEY, None, 0.0, 0.3)
    ledger.charge_all(unsure)
    assert of(ledger, "ada") == Balance("ada", MONEY, None, 0.3, 0.0) and of(ledger, "ada", IMAGES).spent == 1


def test_what_costs_more_than_was_reserved_is_told_and_stops_what_follows(opened: Opener) -> None:
    ledger = Ledger(opened())
    ledger.set_cap("ada", MONEY, 1.0)
    ledger.settle(ledger.reserve(["ada"], {MONEY: 0.9}), {MONEY: 1.2})
    assert of(ledger, "ada").spent == 1.2
    with pytest.raises(BudgetSpent, match=r"\$0.0000 are left"):
        ledger.reserve(["ada"], {MONEY: 0.01})
    ledger.reserve(["ada"], {MONEY: 0, TOKENS: 5})  # what costs nothing goes on


WORK = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shared.settings import Secret
from shared.state.database import Database
from shared.state.ledger import BudgetSpent, Ledger, Unit
kind, where = sys.argv[1:]
ledger = Ledger(Database(url=Secret(where)) if kind == "url" else Database(Path(where)))
def run(number):
    try:
        reserved = ledger.reserve(["class", f"person {number % 3}"], {Unit.MONEY: 0.03, Unit.IMAGES: 1})
    except BudgetSpent:
        return 0
    if number % 4 == 3:
        ledger.refund(reserved)
        return 0
    ledger.settle(reserved, {Unit.MONEY: 0.01, Unit.IMAGES: 1})
    return 1
with ThreadPoolExecutor(8) as threads:
    print(sum(threads.map(run, range(40))))
"""


def test_many_threads_of_several_processes_keep_to_the_cap(opened: Opener) -> None:
    database = opened()
    ledger = Ledger(database)
    ledger.set_cap("class", MONEY, 0.6)
    where = ("url", database._url.reveal()) if database._url else ("path", str(database.path))
    command = [sys.executable, "-c", WORK, *where]
    children = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    done = [int(child.communicate(timeout=120)[0]) for child in children]
    balance = of(ledger, "class")
    # 60 of the 80 would settle 0.01 each; up to 16 at once reserve 0.03 each, so that some are refused before the end.
    assert balance.reserved == 0 and 0.1 < balance.spent <= 0.6
    assert balance.spent == pytest.approx(0.01 * sum(done)) and of(ledger, "class", IMAGES).spent == sum(done)
    people = sum(of(ledger, f"person {number}").spent for number in range(3))
    assert people == pytest.approx(balance.spent)
    assert balance.left is not None
    with pytest.raises(BudgetSpent):
        ledger.reserve(["class"], {MONEY: balance.left + 0.000001})
    ledger.reserve(["class"], {MONEY: balance.left})  # to the last millionth


def silent(ledger: Ledger, database: Database) -> None:
    """Its server wasn't heard of for longer than a dead one may be silent."""
    with database.writing() as connection:
        sql(
            connection,
            "UPDATE fronts SET seen = seen - :lease - 5 WHERE id = :id",
            lease=LEASE,
            id=ledger._living.front,
        )


def test_what_a_dead_server_left_is_closed_by_rule_and_corrected_if_it_lives(opened: Opener) -> None:
    database = opened()
    dead, other = Ledger(database), Ledger(opened())
    run, twin = (dead.reserve(["class", "ada"], {MONEY: 0.3, IMAGES: 1, TOKENS: 50}) for _ in range(2))
    assert of(other, "ada").reserved == 0.6  # it was heard of a moment ago
    silent(dead, database)
    assert (of(other, "ada").spent, of(other, "ada").reserved) == (0.6, 0)  # the provider may charge it
    assert (of(other, "ada", TOKENS).spent, of(other, "ada", IMAGES).spent) == (0, 0)  # nobody got anything
    dead.settle(run, {MONEY: 0.1, TOKENS: 20})
    dead.settle(run, {MONEY: 0.1, TOKENS: 20})
    dead.refund(twin)
    assert [of(other, "class").spent, of(other, "class", TOKENS).spent, of(other, "class").reserved] == [0.1, 20, 0]


def test_a_clock_that_was_set_back_keeps_no_dead_servers_reservation(opened: Opener) -> None:
    database = opened()
    dead, other = Ledger(database), Ledger(opened())
    dead.reserve(["class"], {TOKENS: 50})
    with database.writing() as connection:  # it was last seen before that, by a clock that was a day ahead
        sql(connection, "UPDATE fronts SET seen = seen + 86400 WHERE id = :id", id=dead._living.front)
    assert of(other, "class", TOKENS).reserved == 0
    assert of(dead, "class", TOKENS).reserved == 0


def heard(database: Database) -> tuple[Living, threading.Event]:
    """One that tells often, and what is set each time."""
    beats = threading.Event()

    class Heard(Living):
        def told(self, connection: Connection, now: float) -> None:
            super().told(connection, now)
            beats.set()

    return Heard(database, every=0.01), beats


def test_a_server_that_holds_something_tells_that_it_lives_and_stops_when_it_holds_nothing(opened: Opener) -> None:
    living, beats = heard(opened())
    living.holds("a run")
    assert beats.wait(30)
    thread = living._thread
    living.lets_go("a run")
    assert thread is not None
    thread.join(30)
    assert not thread.is_alive()


def test_a_server_that_holds_something_opens_no_database_again_that_was_closed(tmp_path: Path) -> None:
    """Not even where it is closed between two steps of the thread that tells."""

    class ClosedMeanwhile(Database):
        @contextmanager
        def writing(self, since: int | None = None) -> Iterator[Connection]:
            self.close()
            with super().writing(since) as connection:
                yield connection

    database = ClosedMeanwhile(tmp_path / FILE)
    living = Living(database, every=0.01)
    living.holds("a run")
    thread = living._thread
    assert thread is not None
    thread.join(30)
    assert not thread.is_alive() and database._engine is None and database.empty


def test_a_server_whose_database_was_closed_and_is_used_again_tells_that_it_lives(tmp_path: Path) -> None:
    database = Database(tmp_path / FILE)
    living, beats = heard(database)
    living.holds("a run")
    assert beats.wait(30)
    database.close()
    living.holds("another")  # whether the thread has noticed or not
    beats.clear()
    assert beats.wait(30)
    thread = living._thread
    living.lets_go("a run")
    living.lets_go("another")
    assert thread is not None
    thread.join(30)
    assert not thread.is_alive()


def test_old_reservations_go_and_budgets_stay(opened: Opener) -> None:
    database = opened()
    ledger = Ledger(database)
    ledger.settle(ledger.reserve(["ada"], {MONEY: 0.3}), {MONEY: 0.2})
    held = ledger.reserve(["ada"], {MONEY: 0.1})
    with database.writing() as connection:
        sql(connection, "UPDATE reservations SET created = 0")
    ledger.forget_old()
    with database.reading() as connection:
        assert sql(connection, "SELECT reservation FROM holds").scalars().all() == [held]
    assert (of(ledger, "ada").spent, of(ledger, "ada").reserved) == (0.2, 0.1)
    with suppress(BudgetSpent):
        ledger.refund(held)


def test_the_last_runs_of_an_owner_are_kept(opened: Opener) -> None:
    history, other = History(opened(), most=2), History(opened(), most=2)
    assert history.of("ada") == [] and history.add("", "t", {}) == ""
    for number in range(3):
        history.add("ada", "text-to-image", {"seed": number}, prompt="a cat" if number == 2 else None)
    other.add("bob", "text-to-image", {}, error="rate_limited")
    assert [(run.receipt["seed"], run.prompt) for run in other.of("ada")] == [(2, "a cat"), (1, None)]
    assert other.of("bob")[0].error == "rate_limited" and other.of("") == []
    history.forget("ada")
    assert history.of("ada") == [] and len(history.of("bob")) == 1
