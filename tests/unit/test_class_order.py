"""Whose turn it is in a class: shares are equal whatever people's habits, and nobody starves."""

from __future__ import annotations

import heapq
import random

import pytest

from shared.classroom.order import Order, Ticket


def served(order: Order, most: int = 1000) -> list[str]:
    """Who is served, one after another."""
    found = []
    while len(found) < most and (ticket := order.due()):
        found.append(ticket.person)
        order.done(ticket)
    return found


def test_one_at_a_time_each_in_turn() -> None:
    order = Order(places=1, each=1)
    for person in "aaabbc":
        order.add(person, 1)
    assert served(order) == ["a", "b", "c", "a", "b", "a"]


def test_who_presses_fifty_times_waits_behind_themselves() -> None:
    order = Order(places=1, each=1)
    for _ in range(50):
        order.add("eager", 1)
    order.due()
    late = order.add("late", 1)
    assert len(order.before(late)) <= 1


def test_a_run_that_costs_much_counts_for_much() -> None:
    order = Order(places=1, each=1)
    for _ in range(30):
        order.add("films", 10)
        order.add("words", 1)
    first = served(order, 22)
    assert first.count("words") >= 9 * first.count("films")


def test_nobody_has_more_places_than_they_may_while_others_use_the_rest() -> None:
    order = Order(places=3, each=1)
    for person in "aaab":
        order.add(person, 1)
    assert [t.person if t else None for t in (order.due(), order.due(), order.due())] == ["a", "b", None]


def test_a_run_that_took_more_than_was_thought_is_paid_for_later() -> None:
    order = Order(places=1, each=1)
    mine, _, theirs = order.add("a", 1), order.add("a", 1), order.add("b", 1)
    assert order.due() is mine
    order.done(mine, took=100)
    assert order.due() is theirs


def test_who_gives_up_is_charged_nothing_and_holds_nobody_up() -> None:
    order = Order(places=1, each=1)
    first, second = order.add("a", 50), order.add("a", 1)
    order.done(first)
    order.add("b", 2)
    assert order.due() is second


def test_service_is_fair_over_two_hundred_students_with_skewed_habits() -> None:
    """Jain's index over the seconds that each got (R. Jain, D. Chiu, W. Hawe, 1984)."""
    chance = random.Random(7)
    people = [f"student {n}" for n in range(200)]
    presses = {
        p: min(50, int(chance.paretovariate(1.1))) for p in people
    }  # most press once at a time, a few fifty times
    length = {p: chance.choice((1.0, 2.0, 5.0, 12.0)) for p in people}
    order, got = Order(places=8, each=2), dict.fromkeys(people, 0.0)
    ends: list[tuple[float, int, Ticket]] = []
    now, number = 0.0, 0
    for person in people:
        for _ in range(presses[person]):
            order.add(person, length[person])
    while now < 4000:
        while ticket := order.due():
            number += 1
            heapq.heappush(ends, (now + length[ticket.person] * chance.uniform(0.7, 1.4), number, ticket))
        now, _, ticket = heapq.heappop(ends)
        took = length[ticket.person]
        got[ticket.person] += took
        order.done(ticket, took)
        order.add(ticket.person, length[ticket.person])  # each goes on as they are used to
    shares = list(got.values())
    index = sum(shares) ** 2 / (len(shares) * sum(share**2 for share in shares))
    assert index >= 0.95 and min(shares) > 0


def test_first_come_first_served_would_not_pass_that_measure() -> None:
    """The measure can fail: with every request in one line, who presses fifty times gets fifty times as much."""
    shares = [50.0] * 10 + [1.0] * 190
    assert sum(shares) ** 2 / (len(shares) * sum(share**2 for share in shares)) < 0.95


@pytest.mark.parametrize("places", [1, 3])
def test_nothing_is_owed_once_all_is_done(places: int) -> None:
    order = Order(places=places, each=1)
    for _ in range(5):
        order.add("a", 10)
    served(order)
    order.add("a", 1), order.add("b", 1)
    assert served(order)[0] == "a"
