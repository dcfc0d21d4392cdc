"""Names for people who give none, and what is left of a name that somebody typed."""

from __future__ import annotations

import secrets
import tomllib
import unicodedata
from collections.abc import Collection
from functools import cache
from pathlib import Path

LONGEST = 24  # characters
_WORDS = Path(__file__).with_name("words.toml")


@cache
def words(of: str) -> tuple[str, ...]:
    """One of the lists of `words.toml`."""
    return tuple(tomllib.loads(_WORDS.read_text("utf-8"))[of].split())


def cleaned(name: str) -> str:
    """The name as it may be shown: one line of letters, digits and plain signs, none that turns or hides the others."""
    shown = "".join(c for c in unicodedata.normalize("NFC", name) if unicodedata.category(c)[0] in "LMNPSZ")
    return " ".join(shown.split())[:LONGEST].strip()


def animal(taken: Collection[str]) -> str:
    """A name that nobody has yet."""
    for _ in range(50):
        name = f"{secrets.choice(words('colours'))} {secrets.choice(words('animals'))}"
        if name not in taken:
            return name
    return f"{name} {secrets.randbelow(9000) + 1000}"


def free(name: str, taken: Collection[str]) -> str:
    """The name, or with a number behind it where somebody has it."""
    wanted, number = name, 2
    while wanted in taken:
        wanted, number = f"{name[: LONGEST - 4]} {number}", number + 1
    return wanted
