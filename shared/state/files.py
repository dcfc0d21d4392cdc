"""Where results lie: in a folder of this machine, or in the database where several machines share one."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from shared.state.database import Database, sql, unwritable


class Files(Protocol):
    """Files by name, each written whole or not at all."""

    def prepare(self) -> None:
        """Raise `StateUnavailable` where nothing could be kept: to be asked before something is paid for."""

    def write(self, name: str, data: bytes) -> None:
        """Keep that."""

    def read(self, name: str) -> bytes | None:
        """What was kept, or None where it is gone."""

    def remove(self, name: str) -> None:
        """Keep it no longer; nothing happens where it is gone."""

    def sizes(self) -> dict[str, int]:
        """The bytes of each."""


def files_in(folder: Path, database: Database) -> Files:
    """The files of that folder, or those that stand for it in a database which is shared."""
    return TableFiles(database, folder.name) if database.shared else FolderFiles(folder)


class FolderFiles:
    """Files of a folder, readable by this user only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def prepare(self) -> None:
        """Make the folder. Raises `StateUnavailable` where it can't be written to."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError:
            raise unwritable() from None
        if not os.access(self._folder, os.W_OK):
            raise unwritable()

    def write(self, name: str, data: bytes) -> None:
        """Keep that."""
        self.prepare()
        path = self._folder / name
        part = path.with_suffix(".part")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(data)
        part.replace(path)

    def read(self, name: str) -> bytes | None:
        """What was kept, or None where it is gone."""
        with suppress(OSError):
            return (self._folder / name).read_bytes()
        return None

    def remove(self, name: str) -> None:
        """Keep it no longer."""
        with suppress(OSError):
            (self._folder / name).unlink()

    def sizes(self) -> dict[str, int]:
        """The bytes of each."""
        with suppress(OSError):
            return {p.name: p.stat().st_size for p in self._folder.iterdir() if ".sqlite" not in p.name}
        return {}


class TableFiles:
    """Rows that stand for the files of a folder."""

    def __init__(self, database: Database, folder: str) -> None:
        self._database, self._folder = database, folder

    def prepare(self) -> None:
        """Nothing: what the database can't keep it says itself."""

    def write(self, name: str, data: bytes) -> None:
        """Keep that."""
        put = "INSERT INTO files (folder, name, data, size) VALUES (:folder, :name, :data, :size)"
        anew = "ON CONFLICT (folder, name) DO UPDATE SET data = excluded.data, size = excluded.size"
        with self._database.writing() as connection:
            sql(connection, f"{put} {anew}", folder=self._folder, name=name, data=data, size=len(data))

    def read(self, name: str) -> bytes | None:
        """What was kept, or None where it is gone."""
        asked = "SELECT data FROM files WHERE folder = :folder AND name = :name"
        with self._database.reading() as connection:
            found = sql(connection, asked, folder=self._folder, name=name).scalar_one_or_none()
        return None if found is None else bytes(found)

    def remove(self, name: str) -> None:
        """Keep it no longer."""
        with self._database.writing() as connection:
            sql(connection, "DELETE FROM files WHERE folder = :folder AND name = :name", folder=self._folder, name=name)

    def sizes(self) -> dict[str, int]:
        """The bytes of each."""
        with self._database.reading() as connection:
            rows = sql(connection, "SELECT name, size FROM files WHERE folder = :folder", folder=self._folder).all()
        return {row.name: row.size for row in rows}
