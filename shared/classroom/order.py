"""Whose turn it is: each person gets an equal share of an engine, by what their runs cost and not by how many they ask.

Start-time fair queueing (P. Goyal, H. Vin, H. Cheng, SIGCOMM 1996): each request gets a start tag, the later of the
queue's time and the person's own last finish; the smallest goes first. Somebody who asks fifty times waits behind
themselves.
"""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, field


@dataclass(eq=False)
class Ticket:
    """One request in the queue. `cost`: the seconds of work that it is thought to take."""

    person: str
    cost: float
    start: float = 0.0
    number: int = 0
    running: bool = field(default=False)


class Order:
    """The queue of one engine with `places` at once, `each` for one person. Not safe to share: its owner locks."""

    def __init__(self, places: int, each: int) -> None:
        self.places, self.each = places, each
        self.waiting: list[Ticket] = []
        self.running: list[Ticket] = []
        self._time = 0.0
        self._finish: dict[str, float] = {}
        self._numbers = itertools.count()

    def add(self, person: str, cost: float) -> Ticket:
        """Somebody asks."""
        start = max(self._time, self._finish.get(person, 0.0))
        self._finish[person] = start + cost
        ticket = Ticket(person, cost, start, next(self._numbers))
        self.waiting.append(ticket)
        return ticket

    def due(self) -> Ticket | None:
        """Who goes now, if there is room for anybody; taken off the queue."""
        if len(self.running) >= self.places:
            return None
        busy = Counter(ticket.person for ticket in self.running)
        may = [ticket for ticket in self.waiting if busy[ticket.person] < self.each]
        if not may:
            return None
        ticket = min(may, key=_order)
        self.waiting.remove(ticket)
        self.running.append(ticket)
        ticket.running = True
        self._time = max(self._time, ticket.start)
        return ticket

    def done(self, ticket: Ticket, took: float | None = None) -> None:
        """It is over, or was given up. `took`: the seconds that it really needed, charged instead of the guess."""
        if ticket.running:
            self.running.remove(ticket)
            self._correct(ticket, ticket.cost if took is None else took)
        elif ticket in self.waiting:
            self.waiting.remove(ticket)
            self._correct(ticket, 0.0)
        if not self.waiting and not self.running:
            self._finish.clear()  # nobody is owed anything
            self._time = 0.0

    def before(self, ticket: Ticket) -> list[Ticket]:
        """Those who wait and go first, as far as can be told now."""
        return [other for other in self.waiting if _order(other) < _order(ticket)]

    def _correct(self, ticket: Ticket, took: float) -> None:
        """What a person has waiting moves with it, so that a wrong guess is neither lost nor won."""
        change = took - ticket.cost
        self._finish[ticket.person] = self._finish.get(ticket.person, 0.0) + change
        for other in self.waiting:
            if other.person == ticket.person and other.number > ticket.number:
                other.start = max(self._time, other.start + change)


def _order(ticket: Ticket) -> tuple[float, int]:
    return ticket.start, ticket.number
