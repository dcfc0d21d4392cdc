"""Fixtures of the tests that need no real engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.support.fakes import FakeBackend, table_of_engines


@pytest.fixture
def add() -> Iterator[Callable[[FakeBackend], FakeBackend]]:
    """Adds a fake engine to the table of engines, for this test."""
    with table_of_engines() as adder:
        yield adder
