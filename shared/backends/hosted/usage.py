"""Counts of several calls together."""

from __future__ import annotations

from shared.backends.base import Usage


def added(one: Usage | None, other: Usage) -> Usage:
    """Both together; None where neither says."""
    if one is None:
        return other
    both = {name: (getattr(one, name), getattr(other, name)) for name in vars(other)}
    return Usage(**{n: None if a is None and b is None else (a or 0) + (b or 0) for n, (a, b) in both.items()})
