"""Tells the other servers that this one lives, while it holds anything that they would otherwise clear away."""

from __future__ import annotations

import logging
import secrets
import threading
from typing import TYPE_CHECKING

from shared.errors import BackendError
from shared.state.database import Database, sql

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
            if self._thread is None:
                closes = (self._database.closes,)
                self._thread = threading.Thread(target=self._go_on, args=closes, name="living", daemon=True)
                self._thread.start()

    def lets_go(self, name: str) -> None:
        """That is held no longer."""
        with self._lock:
            self._held.discard(name)
            if not self._held:
                self._empty.set()

    def _go_on(self, closes: int) -> None:
        while not self._empty.wait(self._every) or not self._ended():
            if self._closed_since(closes):
                return
            try:
                with self._database.writing() as connection:
                    self.told(connection, self._database.now(connection))
            except BackendError as error:
                logger.warning("The other servers can't be told that this one lives: %s", error)

    def _closed_since(self, closes: int) -> bool:
        with self._lock:
            if self._database.closes == closes:
                return False
            self._thread = None
            return True

    def _ended(self) -> bool:
        with self._lock:
            if self._held:
                return False
            self._thread = None
            return True
