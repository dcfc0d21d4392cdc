"""The texts in a TOML file: descriptions, notes and reasons that the page shows."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

from tools.texts.rules import Rules

_PROSE = re.compile(r"[^\W\d_]{2,},? +[^\W\d_{]")


def texts(source: str, rules: Rules, *, names: bool) -> Iterator[str]:
    """Every text of the file. `names`: whether a row's `name` is a text, and not what a maker calls his model."""
    skipped = rules.keys if names else rules.keys | {"name"}
    for key, text in _strings(tomllib.loads(source), "", skipped):
        if rules.counts(text) and (key == "label" or _PROSE.search(text)):
            yield text.strip()


def _strings(value: Any, name: str, skipped: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Every string with the key that it stands under."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key not in skipped:
                yield from _strings(inner, key, skipped)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner, name, skipped)
