"""The room: what the teacher set and who is in it, in the state that outlives the server and that fronts share."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from shared.classroom import codes, names
from shared.errors import BackendError, InvalidRequest
from shared.jobs.owners import Owners
from shared.settings import Settings
from shared.state.database import Database, database_of, sql

if TYPE_CHECKING:
    from sqlalchemy import Connection

FRESH = 1.0  # seconds for which what was read is believed: other servers may have changed it
HERE = 45.0  # seconds after which somebody of whom nothing was heard is away
MOST_PEOPLE = 500
NEWCOMER = 10.0  # seconds that somebody has to open a page after they joined
_FACTS = "facts"


class WrongCode(InvalidRequest):
    """What was typed isn't the room's code."""

    def __init__(self) -> None:
        super().__init__("This isn't the code of this class. Look at the wall again: it may have changed.")


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the teacher set. `models`: those that may be used, none for all; `parameters`: settings that may not be
    changed, and what they are; `pushed`: what was sent to everybody, with the link that opens it.

    `caps`: of everybody, and `own`: of each person, by unit. `shown`: the work on the projector.
    """

    code: str = ""
    open: bool = True
    paused: bool = False
    frozen: bool = False
    approving: bool = True
    models: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    blocked: tuple[str, ...] = ()
    safety: str = ""
    pushed: Mapping[str, Any] = field(default_factory=dict)
    caps: Mapping[str, float] = field(default_factory=dict)
    own: Mapping[str, float] = field(default_factory=dict)
    shown: str = ""
    poll: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody in the room."""

    id: str
    name: str
    joined: float
    muted: bool = False
    removed: bool = False


@dataclass(frozen=True)
class Seen:
    """The room as its pages are told of it. `version`: another one whenever something that the teacher set changed."""

    version: str
    people: Mapping[str, Person]

    def version_for(self, person: str) -> str:
        """Another one whenever something changed that this person sees; that others come and go is not."""
        return f"{self.version}.{_hashed(self.people.get(person))}"


class Room:
    """One class. Safe to share between threads, and between servers that share the database.

    No token ends by a time, and `clock`, which measures how long ago things were, is one that nobody sets.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database | None = None,
        clock: Callable[[], float] = time.monotonic,
        most: int = MOST_PEOPLE,
        newcomer: float = NEWCOMER,
    ) -> None:
        self._clock, self._most, self._newcomer = clock, most, newcomer
        self._database = database or database_of(settings)
        self._tokens = Owners(settings.data_dir / "class", self._database)
        self._lock = threading.Lock()
        self._read_at: float | None = None
        self._facts = Facts()
        self._people: dict[str, Person] = {}
        self._seen: Seen | None = None
        self._heard: dict[str, float] = {}

    # Joining

    def join(self, typed: str, name: str) -> str:
        """Let somebody in; returns their token. Raises `WrongCode`, and `InvalidRequest` where it is shut or full."""
        facts = self.facts
        if not codes.same(facts.code, typed):
            raise WrongCode
        if not facts.open:
            raise InvalidRequest("The teacher lets nobody in just now. Ask them to open the room.")
        token = self._tokens.new()
        with self._database.writing() as connection:
            asked = "SELECT name FROM class_people WHERE removed = 0"
            rows = sql(connection, asked).scalars().all()
            if len(rows) >= self._most:
                self._forget_unseen(connection, len(rows) - self._most + 1)
                rows = sql(connection, asked).scalars().all()
            if len(rows) >= self._most:
                raise InvalidRequest(f"The room is full: {self._most} people are in it.")
            wanted = names.cleaned(name, facts.blocked)
            called = names.free(wanted, rows) if wanted else names.animal(rows)
            put = "INSERT INTO class_people (id, name, joined, muted, removed) VALUES (:id, :name, :now, 0, 0)"
            person = Person(id=self._id(token), name=called, joined=time.time())
            sql(connection, put, id=person.id, name=person.name, now=person.joined)
        with self._lock:  # nobody else need be read anew for that: a whole class may come within seconds
            self._people = {**self._people, person.id: person}
            self._seen = None
        return token

    def person(self, token: object) -> Person | None:
        """Who holds the token; None for nobody, and for somebody who was removed."""
        owner = self._tokens.owner(token)
        if not owner:
            return None
        self._refresh()
        found = self._people.get(owner[:24])
        if found is None or found.removed:
            return None
        self._heard[found.id] = self._clock()
        return found

    # What the teacher sees and does

    @property
    def facts(self) -> Facts:
        """What is set now."""
        self._refresh()
        return self._facts

    @property
    def people(self) -> list[Person]:
        """Everybody who is in, by their names."""
        self._refresh()
        return sorted((p for p in self._people.values() if not p.removed), key=lambda p: p.name.casefold())

    def is_here(self, person: str) -> bool:
        """Whether this server has just heard of somebody: an open page asks for news again and again."""
        heard = self._heard.get(person)
        return heard is not None and self._clock() - heard < HERE

    def set(self, **changes: Any) -> Facts:
        """Change some of the facts, in one step also where two servers do so at once."""
        return self._change(lambda facts: replace(facts, **changes))

    def new_code(self) -> str:
        """Another code: who is in stays in, the old one lets nobody in any more."""
        return self.set(code=codes.new_code()).code

    def mark(self, person: str, *, muted: bool | None = None, removed: bool | None = None) -> None:
        """Mute or remove somebody, or take that back."""
        with self._database.writing() as connection:
            for name, value in (("muted", muted), ("removed", removed)):
                if value is not None:
                    sql(connection, f"UPDATE class_people SET {name} = :v WHERE id = :id", v=int(value), id=person)
        self.forget()

    def rename(self, person: str, name: str) -> None:
        """Give somebody another name: what a teacher does with one that shouldn't be on the wall."""
        with self._database.writing() as connection:
            rows = sql(connection, "SELECT name FROM class_people WHERE removed = 0").scalars().all()
            called = names.free(names.cleaned(name), rows) if names.cleaned(name) else names.animal(rows)
            sql(connection, "UPDATE class_people SET name = :name WHERE id = :id", name=called, id=person)
        self.forget()

    def delete_all(self) -> None:
        """Everybody, and all that was set. The next to look finds a new room."""
        with self._database.writing() as connection:
            for table in ("class_people", "class_facts", "class_votes"):
                sql(connection, f"DELETE FROM {table}")
        self._heard.clear()
        self.forget()

    @property
    def seen(self) -> Seen:
        """What there is to tell. Worked out once for each reading: two hundred pages ask for it again and again."""
        self._refresh()
        with self._lock:
            if self._seen is None:
                self._seen = Seen(_hashed(self._facts), self._people)
            return self._seen

    @property
    def is_known(self) -> bool:
        """Whether what was read is still believed, so that a look needs no database."""
        read = self._read_at
        return read is not None and self._clock() - read < FRESH

    def forget(self) -> None:
        """Read anew at the next look."""
        with self._lock:
            self._read_at = None

    def _forget_unseen(self, connection: Connection, count: int) -> None:
        """Make room in a full one: who joined, opened no page after that and left no work is no student. One person
        with the code could else join five hundred times, and nobody after them."""
        asked = (
            "SELECT id FROM class_people WHERE removed = 0 AND joined < :before "
            "AND id NOT IN (SELECT person FROM class_works) ORDER BY joined"
        )
        found = sql(connection, asked, before=time.time() - self._newcomer).scalars().all()
        for person in [each for each in found if each not in self._heard][:count]:
            sql(connection, "DELETE FROM class_people WHERE id = :id", id=person)

    def _id(self, token: str) -> str:
        return self._tokens.owner(token)[:24]

    def _refresh(self) -> None:
        with self._lock:
            if self.is_known:
                return
            with suppress(BackendError):  # what is known goes on being true while the database is away
                self._facts, self._people = self._read()
                self._seen = None
            self._read_at = self._clock()

    def _read(self) -> tuple[Facts, dict[str, Person]]:
        with self._database.reading() as connection:
            text = sql(connection, "SELECT value FROM class_facts WHERE name = :n", n=_FACTS).scalar_one_or_none()
            rows = sql(connection, "SELECT id, name, joined, muted, removed FROM class_people").all()
        facts = _facts(text) if text else self._change(lambda facts: facts)  # after the reading, which would hold it up
        people = {
            row.id: Person(
                id=row.id, name=row.name, joined=row.joined, muted=bool(row.muted), removed=bool(row.removed)
            )
            for row in rows
        }
        return facts, people

    def _change(self, how: Callable[[Facts], Facts]) -> Facts:
        get = "SELECT value FROM class_facts WHERE name = :name"
        put = "INSERT INTO class_facts (name, value) VALUES (:name, :value) "
        put += "ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        with self._database.writing() as connection:
            if self._database.shared:
                sql(connection, "LOCK TABLE class_facts IN EXCLUSIVE MODE")
            text = sql(connection, get, name=_FACTS).scalar_one_or_none()
            facts = how(_facts(text) if text else Facts(code=codes.new_code()))
            sql(connection, put, name=_FACTS, value=json.dumps(asdict(facts)))
        self._read_at = None
        return facts


def _hashed(told: Any) -> str:
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def _facts(text: str) -> Facts:
    """As they were written; what another version wrote and this one doesn't know is left out."""
    values: dict[str, Any] = json.loads(text)
    known = {f.name for f in fields(Facts)}
    given: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in values.items() if n in known}
    return Facts(**given)
