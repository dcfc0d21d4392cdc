"""What an owner's runs were: their receipts, without what was asked unless the server's keeper wants that too."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.state.database import Database, sql

KEPT = 30 * 86_400.0  # seconds


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
        if not owner or self._database.empty:
            return []
        asked = (
            "SELECT id, task, created, receipt, error, prompt FROM runs WHERE owner = :owner ORDER BY created DESC, id"
        )
        with self._database.reading() as connection:
            rows = sql(connection, asked, owner=owner).all()
        return [Ran(r.id, r.task, r.created, json.loads(r.receipt), r.error, r.prompt) for r in rows]

    def forget(self, owner: str) -> None:
        """All of the owner's runs."""
        with self._database.writing() as connection:
            sql(connection, "DELETE FROM runs WHERE owner = :owner", owner=owner)
