"""The class's works and people as its pages are told of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from shared.classroom.desk import EVERYBODY, TEACHER, Class, own
from shared.classroom.queueing import lanes
from shared.classroom.works import Work
from shared.languages.tongue import Tongue
from shared.ui.classroom.places import said_of_place

WALL = "wall"  # the poll of the wall itself
MANY = 10  # wrong codes within a minute that a class at its door doesn't type by mistake


def votes_of(room: Class) -> Counter[str]:
    """The votes of the poll that is open, or of the wall."""
    return room.works.votes(str(room.room.facts.poll.get("id") or WALL))


def told_of_work(work: Work, names: Mapping[str, str], votes: Mapping[str, int], root: str) -> dict[str, Any]:
    """A work for the wall: nothing of its receipt but what made it. `root`: the path before the server's own."""
    receipt = work.receipt
    return {
        "id": work.id,
        "by": names.get(work.person),  # None: somebody who left, which each page says in its language
        "task": work.task,
        "state": work.state,
        "prompt": work.prompt,
        "media_type": work.media_type,
        "url": f"{root}/class/work/{work.id}",
        "model": str(receipt.get("name") or receipt.get("model") or ""),
        "seed": receipt.get("seed"),
        "votes": votes.get(work.id, 0),
    }


def blind(told: dict[str, Any], poll: Mapping[str, Any]) -> dict[str, Any]:
    """The same without what would give a work of an open poll away."""
    if poll.get("open") and told["id"] in poll.get("works", ()):
        return told | {"by": "", "model": "", "seed": None}
    return told


def told_of_wall(room: Class) -> dict[str, Any]:
    """What hangs on the wall, as everybody sees it."""
    names = {p.id: p.name for p in room.room.people}
    votes, poll = votes_of(room), room.room.facts.poll
    shown = room.works.all("shown", most=200)
    return {
        "works": [blind(told_of_work(work, names, votes, room.settings.root_path), poll) for work in shown],
        "poll": poll,
        "votes": dict(votes),
    }


def said_of_class(told: Mapping[str, Any], words: Tongue) -> dict[str, Any]:
    """The same in that language, where it is ours and no page has it: what all who look are told is in English."""
    facts = {**told["facts"], "pushed": said_of_place(told["facts"]["pushed"], words)}
    queues = [{**queue, "lane": words.text(lanes()[queue["lane"]]["label"])} for queue in told["queues"]]
    return {**told, "facts": facts, "queues": queues}


def _guessed(room: Class) -> int:
    """So many wrong codes at least within the last minute, in tens, so that a desk isn't drawn anew for each."""
    wrong = room.guesses.lately()
    return wrong - wrong % 10 if wrong >= MANY else 0


def told_of_class(room: Class) -> dict[str, Any]:
    """All that the teacher's desk shows."""
    people, facts = room.room.people, room.room.facts
    names = {p.id: p.name for p in people}
    balances: dict[str, dict[str, Any]] = {}
    for b in room.ledger.balances():
        balances.setdefault(b.account, {})[str(b.unit)] = {"spent": b.spent, "reserved": b.reserved, "cap": b.cap}
    queues = room.queues.seen()
    runs = Counter(person for q in queues for person in q.running)
    waits = Counter(person for q in queues for person in q.waiting)
    works = room.works.all(most=200)
    votes = votes_of(room)
    return {
        "facts": {
            "code": facts.code,
            "open": facts.open,
            "paused": facts.paused,
            "frozen": facts.frozen,
            "approving": facts.approving,
            "models": list(facts.models),
            "parameters": dict(facts.parameters),
            "blocked": list(facts.blocked),
            "safety": facts.safety,
            "pushed": facts.pushed,
            "caps": dict(facts.caps),
            "own": dict(facts.own),
            "shown": facts.shown,
            "poll": facts.poll,
        },
        "people": [
            {
                "id": p.id,
                "name": p.name,
                "muted": p.muted,
                "here": room.room.is_here(p.id),
                "running": runs[p.id],
                "waiting": waits[p.id],
                "spent": balances.get(own(p.id), {}),
            }
            for p in people
        ],
        "queues": [
            {
                "lane": q.lane,
                "running": [{"name": names.get(p), "teacher": p == TEACHER} for p in q.running],
                "waiting": [{"name": names.get(p), "teacher": p == TEACHER} for p in q.waiting],
            }
            for q in queues
            if q.running or q.waiting
        ],
        "spent": balances.get(EVERYBODY, {}),
        "guessed": _guessed(room),
        "address": room.address,
        "works": [told_of_work(work, names, votes, room.settings.root_path) for work in works],
        "votes": dict(votes),
    }
