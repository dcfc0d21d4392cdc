"""Whose each open page is, where all servers that share the state find it: a page outlives the one it came from.

A page's name (its session) is kept as a hash, so that who reads the state can pass for no page.
"""

from __future__ import annotations

import hashlib

from shared.state.database import Database, sql

KEPT = 7 * 86_400.0  # seconds since a page was last heard of; as long as jobs are kept
MOST = 50_000  # pages; of more the oldest go first


class Visited:
    """Owners by pages. Safe to share between threads and processes. Methods raise `StateUnavailable`."""

    def __init__(self, database: Database, most: int = MOST) -> None:
        self._database, self._most = database, most

    def add(self, page: str, owner: str) -> None:
        """The page is theirs from now on; pages that nobody heard of for long, or that are too many, go."""
        put = (
            "INSERT INTO visits (page, owner, seen) VALUES (:page, :owner, :now) "
            "ON CONFLICT (page) DO UPDATE SET owner = excluded.owner, seen = excluded.seen"
        )
        too_many = "DELETE FROM visits WHERE seen < (SELECT seen FROM visits ORDER BY seen DESC LIMIT 1 OFFSET :last)"
        with self._database.writing() as connection:
            now = self._database.now(connection)
            sql(connection, put, page=_hashed(page), owner=owner, now=now)
            sql(connection, "DELETE FROM visits WHERE seen < :before", before=now - KEPT)
            sql(connection, too_many, last=self._most - 1)

    def of(self, page: str) -> str:
        """Whose it is; "" where that isn't known, or not any more."""
        if self._database.empty:
            return ""
        asked = "SELECT owner FROM visits WHERE page = :page AND seen >= :since"
        with self._database.reading() as connection:
            since = self._database.now(connection) - KEPT
            found: str | None = sql(connection, asked, page=_hashed(page), since=since).scalar_one_or_none()
        return found or ""


def _hashed(page: str) -> str:
    return hashlib.sha256(page.encode()).hexdigest()
