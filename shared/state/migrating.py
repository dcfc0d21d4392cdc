"""Brings a database's tables up to date, also where two servers start at once.

A migration is a file of `migrations/`, in plain SQL that SQLite and PostgreSQL both read (SQLite doesn't know
BYTEA, and keeps bytes in it as they are). Their names' numbers give the order, and the table `migrations` holds which
were made. All are made in one transaction behind one lock, so that a second server waits and finds them
done. Migrations only ever add tables and columns: a server of the version before goes on beside one of the next.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

FOLDER = Path(__file__).with_name("migrations")
_LOCK = 7_305_113_291  # any number, but the same for all who share a database


def migrate(engine: Engine, folder: Path = FOLDER) -> list[str]:
    """Make what is missing; returns the names of what was made."""
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY)")
        done = {row[0] for row in connection.exec_driver_sql("SELECT name FROM migrations")}
        missing = [file for file in sorted(folder.glob("*.sql")) if file.stem not in done]
        for file in missing:
            _apply(connection, file)
        return [file.stem for file in missing]


def _apply(connection: Connection, file: Path) -> None:
    from sqlalchemy import text

    lines = file.read_text(encoding="utf-8").splitlines()
    whole = "\n".join(line for line in lines if not line.startswith("--"))
    for statement in whole.split(";"):
        if statement.strip():
            connection.exec_driver_sql(statement)
    connection.execute(text("INSERT INTO migrations (name) VALUES (:name)"), {"name": file.stem})
