"""What an owner's runs were: their receipts, without what was asked unless the server's keeper wants that too."""

from __future__ import annotations

import json
import logging
import secrets
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from shared.errors import BackendError
from shared.settings import Settings
from shared.state.database import Database, database_of, sql

KEPT = 30 * 86_400.0  # seconds
WAITING = 1000  # runs that may wait to be written down; of a flood the rest is not
PATIENCE = 2.0  # seconds that who looks waits for what ended just now
CLASS = "class:"
Owner = str | Callable[[], str]  # or what tells it, and may take as long as a database does
logger = logging.getLogger(__name__)


def owner_in_class(person: str) -> str:
    """Whose the runs of somebody in a class are: a browser of a school is used by one after the other."""
    return f"{CLASS}{person}"


@dataclass(frozen=True)
class Ran:
    """One run. `receipt`: its fields; `error`: the kind of one that it ended in; `prompt`: None where it isn't kept."""

    id: str
    task: str
    created: float
    receipt: Mapping[str, Any]
    error: str
    prompt: str | None


class History:
    """The last `most` runs of each owner. Safe to share between threads and processes."""

    def __init__(self, database: Database, most: int = 200) -> None:
        self._database, self._most = database, most
        self._lock = threading.Lock()
        self._waiting: set[Future[None]] = set()

    def add_soon(
        self, owner: Owner, task: str, receipt: Mapping[str, Any], *, error: str = "", prompt: str | None = None
    ) -> None:
        """As `add`, by a thread of its own: a database that is slow, locked or full holds up no run and breaks none."""

        def write() -> None:
            try:
                self.add(owner if isinstance(owner, str) else owner(), task, receipt, error=error, prompt=prompt)
            except BackendError as trouble:
                logger.warning("A run wasn't written into its owner's history: %s", trouble)
            except Exception as trouble:  # its words may hold what is written
                logger.warning("A run wasn't written into its owner's history (%s)", type(trouble).__name__)

        with self._lock:
            if len(self._waiting) < WAITING:
                written = self._writer.submit(write)
                self._waiting.add(written)
                written.add_done_callback(self._waiting.discard)

    def add(
        self, owner: str, task: str, receipt: Mapping[str, Any], *, error: str = "", prompt: str | None = None
    ) -> str:
        """Write a run down; those that are too many or too old go. Returns its id; "" for nobody's: none is kept."""
        if not owner or self._most < 1:
            return ""
        name = secrets.token_urlsafe(12)
        put = (
            "INSERT INTO runs (id, owner, task, created, receipt, error, prompt) "
            "VALUES (:id, :owner, :task, :now, :receipt, :error, :prompt)"
        )
        too_many = (
            "DELETE FROM runs WHERE owner = :owner AND id NOT IN "
            "(SELECT id FROM runs WHERE owner = :owner ORDER BY created DESC, id LIMIT :most)"
        )
        with self._database.writing() as connection:
            now = self._database.now(connection)
            kept = json.dumps(dict(receipt), default=str)
            sql(connection, put, id=name, owner=owner, task=task, now=now, receipt=kept, error=error, prompt=prompt)
            sql(connection, too_many, owner=owner, most=self._most)
            sql(connection, "DELETE FROM runs WHERE created < :before", before=now - KEPT)
        return name

    def of(self, owner: str) -> list[Ran]:
        """The owner's runs, the newest first. Nobody's are nobody's to list."""
        if not owner:
            return []
        self._settle()
        if self._database.empty:
            return []
        asked = (
            "SELECT id, task, created, receipt, error, prompt FROM runs "
            "WHERE owner = :owner AND created >= :since ORDER BY created DESC, id"
        )
        with self._database.reading() as connection:
            rows = sql(connection, asked, owner=owner, since=self._database.now(connection) - KEPT).all()
        return [Ran(r.id, r.task, r.created, json.loads(r.receipt), r.error, r.prompt) for r in rows]

    def forget(self, owner: str) -> int:
        """All of the owner's runs; returns how many there were."""
        return self._forget("DELETE FROM runs WHERE owner = :owner", owner=owner) if owner else 0

    def forget_class(self) -> int:
        """All of everybody's who is or was in the class."""
        return self._forget("DELETE FROM runs WHERE owner LIKE :owner", owner=f"{CLASS}%")

    def _forget(self, statement: str, **values: Any) -> int:
        self._settle()
        if self._database.empty:
            return 0
        with self._database.writing() as connection:
            return sql(connection, statement, **values).rowcount

    def _settle(self) -> None:
        """What ended just now is written down first, or not waited for where that takes long."""
        with self._lock:
            waiting = set(self._waiting)
        wait(waiting, PATIENCE)

    @cached_property
    def _writer(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(1, "history")


_OPEN: dict[tuple[int, int], History] = {}
_OPENING = threading.Lock()


def history_of(settings: Settings) -> History:
    """The process's one history of these settings: who looks at it sees what any Space's runs wrote."""
    database = database_of(settings)
    with _OPENING:
        return _OPEN.setdefault((id(database), settings.history), History(database, settings.history))
