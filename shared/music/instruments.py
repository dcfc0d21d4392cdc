"""The instruments that a piece can be played on."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any


@cache
def instruments() -> Mapping[str, Any]:
    """Name -> `label` for people and General MIDI's `program`."""
    return tomllib.loads((Path(__file__).parent / "instruments.toml").read_text(encoding="utf-8"))


def program(name: str) -> int:
    """General MIDI's number, from 0. Raises `KeyError`."""
    return int(instruments()[name]["program"])
