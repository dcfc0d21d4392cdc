"""A real PostgreSQL for tests: of the package `pgserver`, or the system's, in a folder that goes afterwards."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "listen_addresses=", "max_connections=60")


@dataclass(frozen=True)
class Postgres:
    """A server that listens on a socket in `folder` only."""

    folder: Path

    def url(self, name: str) -> str:
        """The address of that database."""
        return f"postgresql://playground@/{name}?host={self.folder}"

    def new_database(self) -> str:
        """The address of a new, empty one."""
        import psycopg

        name = f"t{secrets.token_hex(6)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]
        return self.url(name)


@contextmanager
def postgres() -> Iterator[Postgres]:
    """The server, for the length of the block. Skips where there is none, or fails where CI says that there must be."""
    binaries = _binaries()
    if os.name != "posix" or binaries is None or find_spec("psycopg") is None:
        _lacking("No PostgreSQL: python3 run.py test installs pgserver and psycopg, where they have wheels.")
    # A path for a socket may have 100 characters only; pytest's own folders are longer, and another's user's.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    user = "nobody" if os.geteuid() == 0 else None  # it refuses to be run by root
    try:
        if user:
            shutil.chown(folder, user)
        with _started(_readable(binaries, folder, user), folder, user):
            yield Postgres(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _started(binaries: Path, folder: Path, user: str | None) -> Iterator[None]:
    data, log = folder / "data", folder / "log"
    made = ["-D", str(data), "-U", "playground", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    done = subprocess.run([binaries / "initdb", *made], user=user, capture_output=True, text=True, cwd=folder)
    if done.returncode:
        _lacking(f"initdb failed: {done.stderr[-400:]}")
    options = [part for each in FAST for part in ("-c", each)]
    with log.open("wb") as out:
        command = [binaries / "postgres", "-D", str(data), "-k", str(folder), *options]
        server = subprocess.Popen(command, user=user, stdout=out, stderr=out, cwd=folder)
    try:
        _wait(Postgres(folder), server, log)
        yield
    finally:
        server.send_signal(signal.SIGINT)  # at once: SIGTERM waits for everybody who is connected
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait(server: Postgres, process: subprocess.Popen[bytes], log: Path) -> None:
    import psycopg

    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        try:
            psycopg.connect(server.url("postgres")).close()
            return
        except psycopg.OperationalError:
            time.sleep(0.05)
    pytest.fail(f"PostgreSQL didn't start: {log.read_text()[-400:]}")


def _binaries() -> Path | None:
    found = find_spec("pgserver")
    packaged = (
        [Path(place) / "pginstall" / "bin" for place in (found.submodule_search_locations or [])] if found else []
    )
    systems = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in (*packaged, *systems) if (folder / "initdb").is_file()), None)


def _readable(binaries: Path, folder: Path, user: str | None) -> Path:
    """The binaries, or a copy where that user may not see them: an environment in somebody's own folder."""
    seen = subprocess.run(["test", "-x", binaries / "postgres"], user=user, cwd="/").returncode == 0
    if seen:
        return binaries
    shutil.copytree(binaries.parent, folder / "programs")
    if user:
        for path in (folder / "programs").rglob("*"):
            shutil.chown(path, user)
    return folder / "programs" / "bin"


def _lacking(why: str) -> None:
    if os.environ.get("CI") and os.name == "posix" and find_spec("pgserver"):
        pytest.fail(why)
    pytest.skip(why)
