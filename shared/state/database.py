"""Opens the state: a SQLite file of this machine's, or the PostgreSQL that `DATABASE_URL` names.

SQLite has a connection for each step, as quick as a shared one and safe after a fork; all that write say so before they
read (`BEGIN IMMEDIATE`), so that none finds at the end that another was first. PostgreSQL has a small pool.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from shared.errors import BackendError, MissingDependency
from shared.state.migrating import migrate

if TYPE_CHECKING:
    from sqlalchemy import Connection, CursorResult, Engine, TextClause

    from shared.settings import Secret, Settings

WAIT = 30.0  # seconds for another's writing to end
REACH = 5  # seconds for PostgreSQL to be reached
POOLED, MORE = 5, 15  # connections that are kept, and how many may be open besides
FILE = "state.sqlite"


class StateUnavailable(BackendError):
    """The database can't be reached or written to. Its own words may hold where it is and who asks: they end here."""


class DatabaseClosed(Exception):
    """It was closed since, and who asks must not be the one that opens it again."""


_ALL: WeakSet[Database] = WeakSet()


def unwritable() -> StateUnavailable:
    """What to tell where a folder of this machine's can't be written to."""
    return StateUnavailable(
        "This server can't write down jobs, so it sends none: they could be lost and paid for. Its keeper can "
        "mend this: PLAYGROUND_DATA must name a folder that can be written to."
    )


class Database:
    """One database. Safe to share between threads; nothing is opened or made before it is used.

    `url`: of a PostgreSQL; `path`: the SQLite file otherwise.
    """

    def __init__(self, path: Path | None = None, url: Secret | None = None) -> None:
        self.path, self._url = path, url
        self._engine: Engine | None = None
        self._made = False
        self.closes = 0  # how often it was closed
        self._new_locks()
        _ALL.add(self)

    def _new_locks(self) -> None:
        self._lock = threading.RLock()
        # Threads that wait here go on at once; SQLite would have each look again after a while, and some wait for long.
        self._turn: AbstractContextManager[object] = threading.RLock() if self._url is None else nullcontext()

    def forked(self) -> None:
        """This is another process now: a connection belongs to one, and a lock may be held by a thread of the first."""
        self._new_locks()
        if self._engine is not None:
            self._engine.dispose(close=False)
        self._engine = None

    @property
    def shared(self) -> bool:
        """Whether servers on other machines see it too, so that what belongs to it may lie in no folder."""
        return self._url is not None

    @property
    def empty(self) -> bool:
        """Whether nothing was ever written: looking must make no file."""
        return self.path is not None and not self.shared and not self._made and not self.path.exists()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to look with. Raises `StateUnavailable`."""
        with self._connected("BEGIN") as connection:
            yield connection

    @contextmanager
    def writing(self, since: int | None = None) -> Iterator[Connection]:
        """A transaction: all of the block is written, or nothing where it raises. Raises `StateUnavailable`.

        `since`: what `closes` was; raises `DatabaseClosed`, and opens nothing, where it was closed after that.
        """
        with self._turn, self._connected("BEGIN IMMEDIATE", since) as connection:
            yield connection

    def why_not(self) -> str | None:
        """For readiness: a reason where it can't be reached or its tables can't be made."""
        try:
            with self._connected("BEGIN") as connection:
                sql(connection, "SELECT 1")
        except BackendError as error:
            return str(error)
        return None

    def now(self, connection: Connection) -> float:
        """Seconds since 1970 by the clock that all who share this database have in common."""
        if not self.shared:
            return time.time()
        return float(sql(connection, "SELECT EXTRACT(EPOCH FROM clock_timestamp())").scalar_one())

    def close(self) -> None:
        """Let go of what is open. It may be used again."""
        with self._lock:
            if self._engine is not None:
                self._engine.dispose()
            self._engine = None
            self.closes += 1

    @contextmanager
    def _connected(self, begin: str, since: int | None = None) -> Iterator[Connection]:
        from sqlalchemy.exc import DBAPIError, IntegrityError
        from sqlalchemy.exc import TimeoutError as PoolTimeout

        try:
            with self._opened(since).connect() as connection:
                connection = connection.execution_options(playground_begin=begin)
                with connection.begin():
                    yield connection
        except IntegrityError:
            raise
        except (DBAPIError, PoolTimeout, OSError):
            raise self._unavailable() from None

    def _unavailable(self) -> StateUnavailable:
        if self.shared:
            return StateUnavailable(
                "This server's database can't be reached, so it can't write down what it does and begins nothing that "
                "is paid for. Try again in a minute. Its keeper can look at DATABASE_URL and at the database's log."
            )
        return unwritable()

    def _opened(self, since: int | None) -> Engine:
        with self._lock:
            if since not in (None, self.closes):
                raise DatabaseClosed
            if self._engine is None:
                self._engine = self._connectable()
            if not self._made:
                migrate(self._engine)
                self._made = True
            return self._engine

    def _connectable(self) -> Engine:
        from sqlalchemy import NullPool, create_engine, event

        if self._url is not None:
            try:
                return create_engine(
                    _with_driver(self._url.reveal()),
                    pool_size=POOLED,
                    max_overflow=MORE,
                    pool_timeout=WAIT,
                    pool_pre_ping=True,
                    hide_parameters=True,
                    connect_args={"connect_timeout": REACH, "options": "-c lock_timeout=30s"},
                )
            except ModuleNotFoundError:
                raise MissingDependency("psycopg", '"psycopg[binary]"') from None
        assert self.path is not None
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))  # prompts are nobody else's to read
        engine = create_engine(
            "sqlite+pysqlite://",
            creator=_sqlite(self.path),
            poolclass=NullPool,
            hide_parameters=True,
        )

        @event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            how = connection.get_execution_options().get("playground_begin", "BEGIN IMMEDIATE")
            connection.exec_driver_sql(how)

        return engine


def sql(connection: Connection, statement: str, **values: Any) -> CursorResult[Any]:
    """Have that done; `:name` in it stands for the value of that name."""
    return connection.execute(_text(statement), values)


@lru_cache(maxsize=256)
def _text(statement: str) -> TextClause:
    """To find the names in a statement takes as long as to have it done."""
    from sqlalchemy import text

    return text(statement)


def _sqlite(path: Path) -> Any:
    import sqlite3

    def connect() -> sqlite3.Connection:
        # With no isolation level Python begins nothing by itself: when a transaction begins is said above.
        return sqlite3.connect(path, timeout=WAIT, isolation_level=None, check_same_thread=False)

    return connect


def _with_driver(url: str) -> str:
    """The URL with the driver that is used here; hosts hand out `postgres://` and `postgresql://`."""
    scheme, _, rest = url.partition("://")
    return f"postgresql+psycopg://{rest}" if scheme in {"postgres", "postgresql"} else url


def _after_fork() -> None:
    for database in list(_ALL):
        database.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


_OPEN: dict[tuple[str, str], Database] = {}
_OPENING = threading.Lock()


def database_of(settings: Settings) -> Database:
    """The process's one database of these settings, so that several Spaces in it share its connections."""
    url = settings.database_url
    key = ("url", url.reveal()) if url else ("path", str(settings.data_dir))
    with _OPENING:
        if key not in _OPEN:
            _OPEN[key] = Database(url=url) if url else Database(settings.data_dir / FILE)
        return _OPEN[key]
