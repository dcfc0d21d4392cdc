"""The queues before the engines: one a lane, each in the order of `Order`, with what a person is told meanwhile."""

from __future__ import annotations

import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.classroom.order import Order, Ticket
from shared.errors import LimitReached
from shared.tasks import Mode

if TYPE_CHECKING:
    from shared.catalog import Variant

_LANES = Path(__file__).with_name("lanes.toml")
MACHINE, HOSTED, BESIDE = "machine", "hosted", "beside"
MOST = 20  # requests that one person may have in a queue
GUESS = 10.0  # seconds of work that a run is thought to take before one of its kind has run
_LEARN = 0.3  # how much the last run of a kind says of the next
POLL = 0.2  # seconds between two looks, lest somebody who left hold a place


@dataclass(frozen=True)
class Place:
    """Where somebody stands. `ahead`: requests that go first; `seconds`: until their turn, by what runs have taken."""

    ahead: int
    seconds: float
    held: bool = False

    @property
    def words(self) -> str:
        """For whoever stands there."""
        if self.held:
            return "The teacher has paused the class; your run keeps its place"
        if not self.ahead:
            return "You are next"
        return f"Waiting for your turn: {self.ahead} before you, about {max(1, round(self.seconds))} s"


@dataclass(frozen=True)
class Queued:
    """One lane as the teacher sees it."""

    lane: str
    running: tuple[str, ...]
    waiting: tuple[str, ...]


@cache
def lanes() -> dict[str, dict[str, Any]]:
    """The lanes of `lanes.toml`."""
    return tomllib.loads(_LANES.read_text("utf-8"))


def lane_of(variant: Variant) -> str:
    """The queue that a way of running a model stands behind."""
    if variant.mode == Mode.HOSTED:
        return HOSTED
    return next((name for name, row in lanes().items() if variant.backend in row.get("backends", ())), MACHINE)


class Queues:
    """All queues of a server. `each`: runs of one person at once in each. Safe to share between threads."""

    def __init__(self, each: int = 1, places: dict[str, int] | None = None) -> None:
        known = places or {name: int(row["places"]) for name, row in lanes().items()}
        self._orders = {name: Order(count, each) for name, count in known.items()}
        self._changed = threading.Condition()
        self._took: dict[str, float] = {}

    @contextmanager
    def turn(
        self,
        lane: str,
        kind: str,
        person: str,
        tell: Callable[[Place], object] = lambda place: None,
        may_go: Callable[[], bool] = lambda: True,
    ) -> Iterator[None]:
        """Wait for the person's turn, then keep the place for the length of the block.

        `kind`: of runs that take about as long as one another. `tell` hears where they stand, again and again; what it
        raises gives the place in the queue up. `may_go`: asked too before they go.
        Raises `LimitReached` where they have `MOST` in the queue.
        """
        with self.standing(lane, kind, person, may_go) as places:
            for place in places:
                tell(place)
            yield

    @contextmanager
    def standing(
        self, lane: str, kind: str, person: str, may_go: Callable[[], bool] = lambda: True
    ) -> Iterator[Iterator[Place]]:
        """As `turn`, for who tells by themselves: where they stand, again and again, until it is their turn."""
        order = self._orders.get(lane) or self._orders[MACHINE]
        ticket = self._stand(order, kind, person, int(lanes().get(lane, {}).get("most", MOST)))
        began: list[float] = []
        try:
            yield self._places(order, ticket, may_go, began)
        finally:
            took = time.monotonic() - began[0] if began else None
            with self._changed:
                order.done(ticket, took)
                if took is not None:
                    known = self._took.get(kind, took)
                    self._took[kind] = known + _LEARN * (took - known)
                self._changed.notify_all()

    def seen(self) -> list[Queued]:
        """Who runs and who waits, in their order."""
        with self._changed:
            return [
                Queued(name, tuple(t.person for t in order.running), tuple(t.person for t in _sorted(order)))
                for name, order in self._orders.items()
            ]

    def _stand(self, order: Order, kind: str, person: str, most: int) -> Ticket:
        with self._changed:
            if sum(ticket.person == person for ticket in order.waiting) >= most:
                raise LimitReached(
                    f"You have {most} runs waiting already, and they wait for one another. Let them come, or stop some."
                )
            return order.add(person, self._took.get(kind, GUESS))

    def _places(self, order: Order, ticket: Ticket, may_go: Callable[[], bool], began: list[float]) -> Iterator[Place]:
        while True:
            may = may_go()  # it may look into a database: nobody else waits for that
            with self._changed:
                while may and order.due() is not None:
                    self._changed.notify_all()
                if ticket.running:
                    began.append(time.monotonic())
                    return
                place = self._place(order, ticket, held=not may)
            yield place
            with self._changed:
                if not ticket.running:
                    self._changed.wait(POLL)

    def _place(self, order: Order, ticket: Ticket, *, held: bool) -> Place:
        first = order.before(ticket)
        work = sum(other.cost for other in first) + sum(other.cost for other in order.running) / 2
        return Place(len(first), work / order.places, held)


def _sorted(order: Order) -> list[Ticket]:
    return sorted(order.waiting, key=lambda ticket: (ticket.start, ticket.number))
