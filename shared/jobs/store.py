"""Keeps jobs in a database, and their results in files beside it. Only plain SQL: it can move to another database."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from shared.errors import BackendError
from shared.jobs.job import Job

KEPT = 7 * 86_400.0  # seconds; by then providers have forgotten their part
ROOM = 4 * 2**30  # bytes of all results; the oldest go first
LOST = 600.0  # seconds after which what is still being sent was cut off by the server's end
_JSON = ("request", "receipt", "result")
_COLUMNS = tuple(f.name for f in fields(Job))
_NUMBERS = {"created": "REAL NOT NULL", "updated": "REAL NOT NULL", "quoted_usd": "REAL", "id": "TEXT PRIMARY KEY"}
_TABLE = ", ".join(f"{name} {_NUMBERS.get(name, 'TEXT NOT NULL')}" for name in _COLUMNS)
_LOST_NOTE = (
    "The server stopped while this was being sent. Whether the provider took it isn't known, and it wasn't sent again. "
    "Look at your account there before you run it once more."
)


class JobStore:
    """The jobs of one server. Safe to share between threads and processes; nothing is opened before it is used."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.room = folder, ROOM
        self._lock = threading.Lock()
        self._made = False

    def add(self, job: Job) -> None:
        """Write down a new one; those that are too old go."""
        with self._open() as db:
            marks = ", ".join("?" * len(_COLUMNS))
            db.execute(f"INSERT INTO jobs ({', '.join(_COLUMNS)}) VALUES ({marks})", _row(job))
        for old in self._where("updated < ?", time.time() - KEPT):
            self.forget(old.id)

    def change(self, job: Job, **changes: Any) -> Job:
        """The job with these fields changed, as it is now written down."""
        changed = replace(job, updated=time.time(), **changes)
        names = [name for name in _COLUMNS if name != "id"]
        values = dict(zip(_COLUMNS, _row(changed), strict=True))
        with self._open() as db:
            assigned = ", ".join(f"{name} = ?" for name in names)
            db.execute(f"UPDATE jobs SET {assigned} WHERE id = ?", (*(values[name] for name in names), job.id))
        return changed

    def get(self, job_id: str) -> Job | None:
        """The job by that id."""
        return next(iter(self._where("id = ?", job_id)), None)

    def of(self, owner: str) -> list[Job]:
        """The owner's jobs, the newest first. Nobody's are nobody's to list."""
        found = self._where("owner = ?", owner) if owner else []
        return sorted(found, key=lambda job: -job.created)

    def like(self, model: str) -> list[Job]:
        """Everybody's jobs with that model that are done, for what they took."""
        return self._where("model = ? AND state = 'done'", model)

    def forget(self, job_id: str) -> None:
        """Take it out, and its file away."""
        job = self.get(job_id)
        with self._open() as db:
            db.execute("DELETE FROM jobs WHERE id = ?", (job_id,))
        if job is not None and job.file:
            with suppress(OSError):
                (self.folder / job.file).unlink()

    def write(self, job: Job, data: bytes, suffix: str) -> str:
        """The name of a new file with that result."""
        name = f"{job.id}{suffix}"
        path = self.folder / name
        part = path.with_suffix(".part")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(data)
        part.replace(path)
        self._make_room(job)
        return name

    def read(self, job: Job) -> bytes | None:
        """The result's file, or None where it is gone."""
        with suppress(OSError):
            return (self.folder / job.file).read_bytes() if job.file else None
        return None

    def _make_room(self, newest: Job) -> None:
        """Forget the oldest jobs that are done while all results together take too much."""
        sizes = {path.name: path.stat().st_size for path in self.folder.iterdir()}
        done = sorted(self._where("state = 'done' AND id <> ?", newest.id), key=lambda job: job.updated)
        for old in done:
            if sum(sizes.values()) <= self.room:
                return
            self.forget(old.id)
            sizes.pop(old.file, None)

    def _where(self, condition: str, *values: Any) -> list[Job]:
        if not self._made and not self._path.exists():
            return []
        with self._open() as db:
            rows = db.execute(f"SELECT {', '.join(_COLUMNS)} FROM jobs WHERE {condition}", values).fetchall()
        return [_lost(_job(row)) for row in rows]

    @property
    def _path(self) -> Path:
        return self.folder / "jobs.sqlite"

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A connection for one step: short enough that sharing one would save nothing."""
        try:
            with self._lock:
                if not self._made:
                    self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                    os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))  # prompts are nobody else's to read
            db = sqlite3.connect(self._path, timeout=10)
        except (OSError, sqlite3.OperationalError):
            raise BackendError(
                "This server can't write down jobs, so it sends none: they could be lost and paid for. Its keeper can "
                "mend this: PLAYGROUND_DATA must name a folder that can be written to."
            ) from None
        try:
            with db:
                if not self._made:
                    db.execute(f"CREATE TABLE IF NOT EXISTS jobs ({_TABLE})")
                    self._made = True
                yield db
        finally:
            db.close()


def _row(job: Job) -> tuple[Any, ...]:
    values = asdict(job)
    return tuple(json.dumps(values[n], default=str) if n in _JSON else values[n] for n in _COLUMNS)


def _job(row: tuple[Any, ...]) -> Job:
    values = dict(zip(_COLUMNS, row, strict=True))
    return Job(**{name: json.loads(value) if name in _JSON else value for name, value in values.items()})


def _lost(job: Job) -> Job:
    if job.state == "sending" and job.updated < time.time() - LOST:
        return replace(job, state="unsure", note=_LOST_NOTE)
    return job
