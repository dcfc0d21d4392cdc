"""What only an NVIDIA card can show. Elsewhere nothing here is collected, so that no run is filled with skips."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.machine import probe


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave this folder out where there is no card."""
    return None if probe().cuda_gb else True
