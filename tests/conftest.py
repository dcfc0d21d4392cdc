"""Fixtures that many tests use."""

from __future__ import annotations

import pytest

from shared.catalog import load_catalog
from shared.engine import Engine
from shared.settings import Settings


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """An engine over the real catalogue: the starter model is loaded once for all tests."""
    return Engine(load_catalog(), Settings(data_dir=tmp_path_factory.mktemp("data")))
