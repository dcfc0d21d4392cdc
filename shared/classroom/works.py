"""What a class has made: the works, whether they hang on the wall, and the votes for them."""

from __future__ import annotations

import json
import secrets
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from shared.classroom.made import Made
from shared.state.database import Database, sql
from shared.state.files import Files, files_in

State = Literal["waiting", "shown", "hidden"]
MOST_EACH = 60  # works kept of one person: the oldest that hang nowhere go
MOST_BYTES = 40 * 2**20  # of one work
MOST_ALL = 2 * 2**30  # of all together


@dataclass(frozen=True, kw_only=True)
class Work:
    """One. `file`: the name of what it is kept as."""

    id: str
    person: str
    task: str
    created: float
    state: State
    prompt: str
    receipt: Mapping[str, Any]
    media_type: str
    file: str
    size: int


class Works:
    """The works of one class, in the order in which they came: a clock that is set back makes no new work an old one.

    Safe to share between threads, and between servers that share the database. `clock`: of the dates alone.
    """

    def __init__(
        self, database: Database, folder: Path, clock: Callable[[], float] = time.time, most_all: int = MOST_ALL
    ) -> None:
        self._database, self._files, self._clock = database, files_in(folder, database), clock
        self._most_all = most_all

    @property
    def files(self) -> Files:
        """Where the works' files lie."""
        return self._files

    def add(self, person: str, task: str, prompt: str, receipt: Mapping[str, Any], made: Made, state: State) -> str:
        """Keep a work; returns its id, or "" where it is too large to be kept."""
        if len(made.data) > MOST_BYTES or not self._make_room(person, len(made.data)):
            return ""
        name = secrets.token_urlsafe(9)
        file = f"{name}{made.ending}"
        self._files.write(file, made.data)
        put = (
            "INSERT INTO class_works "
            "(id, person, task, created, state, prompt, receipt, media_type, file, size, number) "
            "VALUES (:id, :person, :task, :now, :state, :prompt, :receipt, :kind, :file, :size, "
            "(SELECT COALESCE(MAX(number), 0) + 1 FROM class_works))"
        )
        with self._database.writing() as connection:
            sql(
                connection, put, id=name, person=person, task=task, now=self._clock(), state=state, prompt=prompt,
                receipt=json.dumps(dict(receipt)), kind=made.media_type, file=file, size=len(made.data),
            )  # fmt: skip
        self._thin(person)
        return name

    def all(self, state: State | None = None, person: str | None = None, most: int = 500) -> list[Work]:
        """The newest first: all, those in a state, or one person's."""
        where = " AND ".join(
            [part for part, given in (("state = :state", state), ("person = :person", person)) if given] or ["1 = 1"]
        )
        asked = f"SELECT * FROM class_works WHERE {where} ORDER BY number DESC, created DESC, id LIMIT :most"
        with self._database.reading() as connection:
            rows = sql(connection, asked, state=state, person=person, most=most).all()
        return [_work(row) for row in rows]

    def get(self, work: str) -> Work | None:
        """One of them."""
        with self._database.reading() as connection:
            row = sql(connection, "SELECT * FROM class_works WHERE id = :id", id=work).one_or_none()
        return None if row is None else _work(row)

    def read(self, work: Work) -> bytes | None:
        """Its file, or None where it is gone."""
        return self._files.read(work.file)

    def move(self, work: str, state: State) -> None:
        """Hang it on the wall, or take it down."""
        with self._database.writing() as connection:
            sql(connection, "UPDATE class_works SET state = :state WHERE id = :id", state=state, id=work)

    def remove(self, work: str) -> None:
        """Keep it no longer."""
        found = self.get(work)
        if found is not None:
            self._files.remove(found.file)
            with self._database.writing() as connection:
                sql(connection, "DELETE FROM class_works WHERE id = :id", id=work)
                sql(connection, "DELETE FROM class_votes WHERE choice = :id", id=work)

    def remove_all(self) -> int:
        """None of them is kept; returns how many there were."""
        every = self.all(most=1_000_000)
        for work in every:
            self.remove(work.id)
        return len(every)

    def size(self) -> int:
        """Bytes of all together."""
        with self._database.reading() as connection:
            return int(sql(connection, "SELECT COALESCE(SUM(size), 0) FROM class_works").scalar_one())

    def vote(self, poll: str, person: str, choice: str) -> None:
        """Somebody's one vote in a poll; a second one takes the first's place."""
        put = "INSERT INTO class_votes (poll, person, choice) VALUES (:poll, :person, :choice) "
        anew = "ON CONFLICT (poll, person) DO UPDATE SET choice = excluded.choice"
        with self._database.writing() as connection:
            sql(connection, put + anew, poll=poll, person=person, choice=choice)

    def votes(self, poll: str) -> Counter[str]:
        """How many each choice has; who was removed has no vote."""
        asked = (
            "SELECT choice FROM class_votes WHERE poll = :poll "
            "AND person NOT IN (SELECT id FROM class_people WHERE removed = 1)"
        )
        with self._database.reading() as connection:
            return Counter(sql(connection, asked, poll=poll).scalars().all())

    def _make_room(self, person: str, size: int) -> bool:
        """Whether there is room for one more of theirs. Whoever takes most room makes it: their oldest that hang
        nowhere go, down to what this person would have then."""
        while self.size() + size > self._most_all:
            taken = self._taken()
            most = max(taken, key=lambda each: taken[each] + (size if each == person else 0), default=None)
            if most is None or (most != person and taken[most] < taken.get(person, 0) + size):
                return False
            oldest = "SELECT id FROM class_works WHERE person = :person AND state <> 'shown' ORDER BY number LIMIT 1"
            with self._database.reading() as connection:
                found = sql(connection, oldest, person=most).scalar_one_or_none()
            if found is None:
                return False
            self.remove(found)
        return True

    def _taken(self) -> dict[str, int]:
        """Bytes of what hangs nowhere, of each who has any."""
        asked = "SELECT person, SUM(size) AS bytes FROM class_works WHERE state <> 'shown' GROUP BY person"
        with self._database.reading() as connection:
            return {row.person: int(row.bytes) for row in sql(connection, asked)}

    def _thin(self, person: str) -> None:
        """Those that hang go last: where all hang at once, one person's would else fill the wall, and the disk."""
        theirs = self.all(person=person, most=10 * MOST_EACH)
        hidden = [work for work in theirs if work.state != "shown"]
        shown = [work for work in theirs if work.state == "shown"]
        for work in [*hidden[MOST_EACH:], *shown[MOST_EACH:]]:
            self.remove(work.id)


def _work(row: Any) -> Work:
    values = dict(row._mapping)
    values["receipt"] = json.loads(values["receipt"])
    return Work(**{name: value for name, value in values.items() if name != "number"})
