"""Names for people who give none, and what is left of a name that somebody typed."""

from __future__ import annotations

import re
import secrets
import tomllib
import unicodedata
from collections.abc import Collection, Iterable
from functools import cache, lru_cache
from pathlib import Path

from shared.classroom.wording import blocked, plain, shown

LONGEST = 24  # characters
_WORDS = Path(__file__).with_name("words.toml")


@cache
def words(of: str) -> tuple[str, ...]:
    """One of the lists of `words.toml`."""
    return tuple(tomllib.loads(_WORDS.read_text("utf-8"))[of].split())


def cleaned(name: str, words: Iterable[str] = ()) -> str:
    """The name as it may be shown: one line of letters, digits and plain signs, none that turns or hides the others.

    Nothing is left of one that shows nothing, or has one of `words` in it.
    """
    said = " ".join(_marks().sub(r"\1", shown(name)).split())[:LONGEST].strip()
    seen = any(unicodedata.category(c)[0] in "LNS" for c in said)
    return said if seen and blocked(words, [said]) is None else ""


def animal(taken: Collection[str]) -> str:
    """A name that nobody has yet."""
    for _ in range(50):
        name = f"{secrets.choice(words('colours'))} {secrets.choice(words('animals'))}"
        if name not in taken:
            return name
    return f"{name} {secrets.randbelow(9000) + 1000}"


def free(name: str, taken: Collection[str]) -> str:
    """The name, or with a number behind it where somebody has one that reads alike; nobody is called as the teacher."""
    known = {_read(each) for each in (*taken, *words("reserved"))}
    wanted, number = name, 2
    while _read(wanted) in known:
        wanted, number = f"{name[: LONGEST - 4]} {number}", number + 1
    return wanted


@lru_cache(maxsize=2048)
def _read(name: str) -> str:
    return plain(name)


@cache
def _marks() -> re.Pattern[str]:
    """Three marks on one letter are enough for any script; more are heaped on it to cover the lines around."""
    marks = "".join(c for c in map(chr, range(0x300, 0x3100)) if unicodedata.category(c) in {"Mn", "Me"})
    return re.compile(f"([{re.escape(marks)}]{{3}})[{re.escape(marks)}]+")
