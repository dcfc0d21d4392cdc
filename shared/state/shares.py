"""Keeps what people hand on: settings too long for an address, and outputs shown to whoever has their address."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from shared.errors import InvalidRequest, LimitReached
from shared.state.database import Database, database_of, sql
from shared.state.files import files_in
from shared.state.history import CLASS

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from shared.settings import Settings

Kind = Literal["link", "page"]
MOST_BYTES = 48 * 2**20  # of one output
ROOM = 2 * 2**30  # bytes of all of them
MOST_PAGES = 100  # of one owner
MOST_LINKS = 20_000  # of all; the oldest go first
_ALL = "id, owner, kind, space, created, content, size, file"


@dataclass(frozen=True)
class Share:
    """One of them. `content`: a link's settings, or what a page tells. `file`: the output's name, "" for a text."""

    id: str
    owner: str
    kind: Kind
    space: str
    created: float
    content: Mapping[str, Any]
    size: int
    file: str


class Shares:
    """Those of one server, or of all that share a database. Safe to share between threads and processes."""

    def __init__(self, folder: Path, database: Database) -> None:
        self._database, self._files = database, files_in(folder, database)

    def link(self, space: str, content: Mapping[str, Any]) -> str:
        """Keep settings; returns their id."""
        with self._database.writing() as connection:
            name = self._insert(connection, "", "link", space, content, 0, "")
            oldest = "SELECT id FROM shares WHERE kind = 'link' ORDER BY created DESC, id LIMIT :most"
            sql(connection, f"DELETE FROM shares WHERE kind = 'link' AND id NOT IN ({oldest})", most=MOST_LINKS)
        return name

    def page(self, owner: str, space: str, content: Mapping[str, Any], data: bytes = b"", suffix: str = "") -> str:
        """Show an output; returns its id. Raises `InvalidRequest` where it is too large, `LimitReached` at a limit."""
        if not owner:
            raise InvalidRequest("Nobody could take this back: your browser keeps nothing. Allow it to, and reload.")
        if len(data) > MOST_BYTES:
            raise InvalidRequest(f"Outputs of up to {MOST_BYTES // 2**20} MB can be shared. Hand on the file itself.")
        if data:
            self._files.prepare()
        file = f"{secrets.token_urlsafe(18)}{suffix}" if data else ""
        with self._database.writing() as connection:
            asked = "SELECT COUNT(*) FROM shares WHERE kind = 'page' AND owner = :owner"
            if sql(connection, asked, owner=owner).scalar_one() >= MOST_PAGES:
                raise LimitReached(f"You share {MOST_PAGES} outputs already. Take one back first.")
            if (sql(connection, "SELECT SUM(size) FROM shares").scalar_one() or 0) + len(data) > ROOM:
                raise LimitReached("This server has no room for more shared outputs. Hand on the file itself.")
            name = self._insert(connection, owner, "page", space, content, len(data), file)
        if data:
            try:
                self._files.write(file, data)
            except BaseException:
                self.take_back(name, owner)  # the disk is full, say: nothing is shown by halves
                raise
        return name

    def get(self, name: str, kind: Kind) -> Share | None:
        """The one by that id."""
        found = self._where("id = :id AND kind = :kind", id=name, kind=kind)
        return found[0] if found else None

    def data(self, share: Share) -> bytes | None:
        """The output's bytes, or None where it has none or they are gone."""
        return self._files.read(share.file) if share.file else None

    def of(self, owner: str) -> list[Share]:
        """The owner's pages, the newest first."""
        return self._where("owner = :owner AND kind = 'page'", owner=owner) if owner else []

    def take_back(self, name: str, owner: str) -> bool:
        """Show it no longer; returns whether there was such a page of that owner's."""
        found = [share for share in self.of(owner) if share.id == name]
        with self._database.writing() as connection:
            sql(connection, "DELETE FROM shares WHERE id = :id AND owner = :owner", id=name, owner=owner or "-")
        for share in found:
            if share.file:
                self._files.remove(share.file)
        return bool(found)

    def forget_class(self) -> None:
        """Show nothing any longer of who is or was in the class, and keep no settings of long links: whose they were
        isn't known."""
        for share in self._where("(kind = 'page' AND owner LIKE :owner) OR kind = 'link'", owner=f"{CLASS}%"):
            self._remove(share)

    def _remove(self, share: Share) -> None:
        with self._database.writing() as connection:
            sql(connection, "DELETE FROM shares WHERE id = :id", id=share.id)
        if share.file:
            self._files.remove(share.file)

    def _insert(
        self,
        connection: Connection,
        owner: str,
        kind: Kind,
        space: str,
        content: Mapping[str, Any],
        size: int,
        file: str,
    ) -> str:
        name = secrets.token_urlsafe(18)  # whoever has it sees it: it can't be guessed
        values = {"id": name, "owner": owner, "kind": kind, "space": space, "size": size, "file": file}
        written = json.dumps(dict(content), ensure_ascii=False, default=str)
        put = f"INSERT INTO shares ({_ALL}) VALUES (:id, :owner, :kind, :space, :created, :content, :size, :file)"
        sql(connection, put, **values, created=self._database.now(connection), content=written)
        return name

    def _where(self, condition: str, **values: Any) -> list[Share]:
        if self._database.empty:
            return []
        with self._database.reading() as connection:
            rows = sql(connection, f"SELECT {_ALL} FROM shares WHERE {condition} ORDER BY created DESC", **values).all()
        return [Share(**{**row._mapping, "content": json.loads(row.content)}) for row in rows]


def shares_of(settings: Settings) -> Shares:
    """Those of a server with these settings."""
    return Shares(settings.data_dir / "shared", database_of(settings))
