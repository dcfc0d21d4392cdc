"""Fixtures of the tests that need no real engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shared.settings import Secret
from shared.state.database import FILE, Database
from tests.support.fakes import FakeBackend, table_of_engines
from tests.support.postgres import Postgres, postgres

Opener = Callable[[], Database]


@pytest.fixture
def add() -> Iterator[Callable[[FakeBackend], FakeBackend]]:
    """Adds a fake engine to the table of engines, for this test."""
    with table_of_engines() as adder:
        yield adder


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgres]:
    """A real PostgreSQL, started once."""
    with postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    """Opens one database anew at each call, as each of several servers would: of both kinds."""
    url = Secret(request.getfixturevalue("postgresql").new_database()) if request.param == "postgresql" else None
    made: list[Database] = []

    def again() -> Database:
        made.append(Database(url=url) if url else Database(tmp_path / "state" / FILE))
        return made[-1]

    yield again
    for database in made:
        database.close()
