"""Takes over the jobs that a version before this kept in a SQLite file of their own."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from shared.state.database import Database, sql
from shared.state.files import Files, FolderFiles

OLD = "jobs.sqlite"
TAKEN = "jobs.sqlite.taken-over"
logger = logging.getLogger(__name__)


def take_over(folder: Path, columns: Sequence[str], put: str, database: Database, files: Files) -> None:
    """Put the old rows into the state, and their files where these are kept elsewhere now; rename the old file then.

    Two servers may do it at once: `put` passes over what is there. What can't be read is said and left where it is.
    """
    try:
        rows = _rows(folder / OLD, columns)
    except sqlite3.Error as error:
        logger.warning(
            "The jobs of an earlier version can't be read (%s); they stay in %s.", type(error).__name__, TAKEN
        )
        rows = []
    old = FolderFiles(folder)
    with database.writing() as connection:
        for row in rows:
            sql(connection, put, **row)
    if not isinstance(files, FolderFiles):
        for row in rows:
            if row["file"] and (data := old.read(row["file"])) is not None:
                files.write(row["file"], data)
    with suppress(OSError):  # the other server was quicker
        (folder / OLD).rename(folder / TAKEN)


def _rows(path: Path, columns: Sequence[str]) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(path, timeout=10)) as old:
        found = old.execute(f"SELECT {', '.join(columns)} FROM jobs").fetchall()
    return [dict(zip(columns, row, strict=True)) for row in found]
