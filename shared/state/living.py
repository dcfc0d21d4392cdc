"""Tells the other servers that this one lives, while it holds anything that they would otherwise clear away."""

from __future__ import annotations

import logging
import secrets
import threading
from typing import TYPE_CHECKING

from shared.errors import BackendError
from shared.state.database import Database, DatabaseClosed, sql

if TYPE_CHECKING:
    from sqlalchemy import Connection

LEASE = 60.0  # seconds of silence after which a server counts as dead
EVERY = 15.0  # seconds between two words
logger = logging.getLogger(__name__)


class Living:
    """One server's sign of life; `front` is its name. A thread tells it, which ends when nothing is held any more, or
    when the database was closed: opening it again would keep its server from ending."""

    def __init__(self, database: Database, every: float = EVERY) -> None:
        self.front = secrets.token_urlsafe(9)
        self._database, self._every = database, every
        self._lock = threading.Lock()
        self._held: set[str] = set()
        self._empty = threading.Event()
        self._closes = 0  # how often the database had been closed when something was last held
        self._thread: threading.Thread | None = None

    def told(self, connection: Connection, now: float) -> None:
        """Write down that it lived at that time."""
        put = "INSERT INTO fronts (id, seen) VALUES (:id, :now) ON CONFLICT (id) DO UPDATE SET seen = excluded.seen"
        sql(connection, put, id=self.front, now=now)

    def holds(self, name: str) -> None:
        """From now on it is told until all that is held was let go."""
        with self._lock:
            self._held.add(name)
            self._empty.clear()
            self._closes = self._database.closes
            if self._thread is None:
                self._thread = threading.Thread(target=self._go_on, name="living", daemon=True)
                self._thread.start()

    def lets_go(self, name: str) -> None:
        """That is held no longer."""
        with self._lock:
            self._held.discard(name)
            if not self._held:
                self._empty.set()

    def _go_on(self) -> None:
        while not self._empty.wait(self._every) or not self._ended():
            try:
                with self._database.writing(since=self._closes) as connection:
                    self.told(connection, self._database.now(connection))
            except DatabaseClosed:
                if self._ended():
                    return
            except BackendError as error:
                logger.warning("The other servers can't be told that this one lives: %s", error)

    def _ended(self) -> bool:
        """Whether nothing is held, or the database was closed and nothing has been held since."""
        with self._lock:
            if self._held and self._closes == self._database.closes:
                return False
            self._thread = None
            return True
