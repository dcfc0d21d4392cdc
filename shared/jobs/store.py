"""Keeps jobs in the state's database, and their results beside it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from shared.jobs.job import Job
from shared.jobs.taking_over import OLD, take_over
from shared.state.database import FILE, Database, sql
from shared.state.files import files_in
from shared.state.history import CLASS

KEPT = 7 * 86_400.0  # seconds; by then providers have forgotten their part
ROOM = 4 * 2**30  # bytes of all results; the oldest go first
LOST = 600.0  # seconds after which what is still being sent was cut off by the server's end
_JSON = ("request", "receipt", "result")
_COLUMNS = tuple(f.name for f in fields(Job))
_LOST_NOTE = (
    "The server stopped while this was being sent. Whether the provider took it isn't known, and it wasn't sent again. "
    "Look at your account there before you run it once more."
)
_ALL = ", ".join(_COLUMNS)
_MARKS = ", ".join(f":{name}" for name in _COLUMNS)
_ASSIGNED = ", ".join(f"{name} = :{name}" for name in _COLUMNS if name != "id")


class JobStore:
    """The jobs of one server, or of all that share a database. Safe to share between threads and processes.

    `folder`: of the results, where the database isn't shared; nothing is opened before it is used.
    """

    def __init__(self, folder: Path, database: Database | None = None) -> None:
        self.folder, self.room = folder, ROOM
        self._database = database or Database(folder / FILE)
        self._files = files_in(folder, self._database)

    def add(self, job: Job) -> None:
        """Write down a new one; those that are too old go. Raises `StateUnavailable` where nothing can be written."""
        self._take_over()
        self._files.prepare()
        with self._database.writing() as connection:
            sql(connection, f"INSERT INTO jobs ({_ALL}) VALUES ({_MARKS})", **_row(job))
        for old in self._where("updated < :before", before=time.time() - KEPT):
            self.forget(old.id)

    def change(self, job: Job, **changes: Any) -> Job:
        """The job with these fields changed, as it is now written down."""
        changed = replace(job, updated=time.time(), **changes)
        with self._database.writing() as connection:
            sql(connection, f"UPDATE jobs SET {_ASSIGNED} WHERE id = :id", **_row(changed))
        return changed

    def get(self, job_id: str) -> Job | None:
        """The job by that id."""
        return next(iter(self._where("id = :id", id=job_id)), None)

    def of(self, owner: str) -> list[Job]:
        """The owner's jobs, the newest first. Nobody's are nobody's to list."""
        found = self._where("owner = :owner", owner=owner) if owner else []
        return sorted(found, key=lambda job: -job.created)

    def like(self, model: str) -> list[Job]:
        """Everybody's jobs with that model that are done, for what they took."""
        return self._where("model = :model AND state = 'done'", model=model)

    def forget(self, job_id: str) -> None:
        """Take it out, and its file away."""
        job = self.get(job_id)
        with self._database.writing() as connection:
            sql(connection, "DELETE FROM jobs WHERE id = :id", id=job_id)
        if job is not None and job.file:
            self._files.remove(job.file)

    def forget_class(self) -> None:
        """All of everybody's who is or was in the class."""
        for job in self._where("owner LIKE :owner", owner=f"{CLASS}%"):
            self.forget(job.id)

    def write(self, job: Job, data: bytes, suffix: str) -> str:
        """The name of a new file with that result."""
        name = f"{job.id}{suffix}"
        self._files.write(name, data)
        self._make_room(job)
        return name

    def read(self, job: Job) -> bytes | None:
        """The result's file, or None where it is gone."""
        return self._files.read(job.file) if job.file else None

    def _make_room(self, newest: Job) -> None:
        """Forget the oldest jobs that are done while all results together take too much."""
        sizes = self._files.sizes()
        done = sorted(self._where("state = 'done' AND id <> :id", id=newest.id), key=lambda job: job.updated)
        for old in done:
            if sum(sizes.values()) <= self.room:
                return
            self.forget(old.id)
            sizes.pop(old.file, None)

    def _where(self, condition: str, **values: Any) -> list[Job]:
        self._take_over()
        if self._database.empty:
            return []
        with self._database.reading() as connection:
            rows = sql(connection, f"SELECT {_ALL} FROM jobs WHERE {condition}", **values).mappings().all()
        return [_lost(_job(row)) for row in rows]

    def _take_over(self) -> None:
        """What a version before kept in a database of the jobs' own is taken over once."""
        if (self.folder / OLD).exists():
            put = f"INSERT INTO jobs ({_ALL}) VALUES ({_MARKS}) ON CONFLICT DO NOTHING"
            take_over(self.folder, _COLUMNS, put, self._database, self._files)


def _row(job: Job) -> dict[str, Any]:
    values = asdict(job)
    return {name: json.dumps(values[name], default=str) if name in _JSON else values[name] for name in _COLUMNS}


def _job(row: Mapping[Any, Any]) -> Job:
    return Job(**{name: json.loads(row[name]) if name in _JSON else row[name] for name in _COLUMNS})


def _lost(job: Job) -> Job:
    if job.state == "sending" and job.updated < time.time() - LOST:
        return replace(job, state="unsure", note=_LOST_NOTE)
    return job
