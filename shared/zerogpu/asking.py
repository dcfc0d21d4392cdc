"""How many seconds of a GPU to ask for: estimated from the request, and learned from a model's own runs."""

from __future__ import annotations

import threading
import tomllib
from collections.abc import Mapping
from functools import cache
from math import ceil, prod
from pathlib import Path
from typing import Any

from shared.catalog import Variant
from shared.requests import Request


@cache
def table() -> Mapping[str, Any]:
    """The guesses of `durations.toml`."""
    return tomllib.loads((Path(__file__).parent / "durations.toml").read_text(encoding="utf-8"))


def work_of(request: Request) -> float:
    """How much is to be done, in the unit of the request's row; 1 for a kind of request that has none."""
    row = table().get(type(request).__name__, {})
    return prod(_value(request, name, usual) / one for name, (usual, one) in _factors(row).items())


def _factors(row: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    return {name: tuple(value) for name, value in row.items() if isinstance(value, list)}


def _value(request: Request, name: str, usual: float) -> float:
    if name == "characters":
        return max(float(sum(map(len, request.texts()))), 1.0)
    value = getattr(request, name, None)
    return float(usual if value is None else value)


class Pace:
    """Seconds that a unit of work takes, by variant. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[str, float] = {}

    def learn(self, variant: Variant, request: Request, seconds: float) -> None:
        """A run took that long. The slowest of late counts: too little ends a run, too much only makes it wait."""
        unit = seconds / max(work_of(request), 1e-9)
        with self._lock:
            self._seen[variant.key] = max(unit, 0.8 * self._seen.get(variant.key, 0.0))

    def seconds(self, variant: Variant, request: Request) -> int:
        """What to ask for, between the table's bounds."""
        told = table()
        row, held = told.get(type(request).__name__, {}), variant.on_card_gb
        with self._lock:
            unit = self._seen.get(variant.key)
        if unit is None:
            unit = row.get("seconds", told["most"]) * max(1.0, held / told["large"])
        whole = told["start"] + told["per_gb"] * held + told["margin"] * unit * work_of(request)
        return ceil(float(min(max(whole, told["least"]), told["most"])))
