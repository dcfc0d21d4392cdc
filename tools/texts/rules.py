"""What counts as a text for people, and what does not: read from `rules.toml`."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import lru_cache
from pathlib import Path


@dataclass(frozen=True)
class Rules:
    """See `rules.toml`, which holds and explains them."""

    files: tuple[str, ...]
    calls: tuple[str, ...]
    names: re.Pattern[str]
    always: frozenset[str]
    exactly: frozenset[str]
    units: frozenset[str]
    also: tuple[str, ...]
    like: re.Pattern[str]
    keys: frozenset[str]

    def skips_file(self, name: str) -> bool:
        """Whether nobody but a developer or the one who runs the server reads what stands in this file."""
        return any(fnmatch(name, pattern) for pattern in self.files)

    def skips_call(self, name: str) -> bool:
        """Whether what is given to this function is no text for people."""
        return any(fnmatch(name, pattern) for pattern in self.calls)

    def skips_name(self, name: str) -> bool:
        """Whether what this name stands for is no text for people."""
        return bool(self.names.search(name))

    def counts(self, text: str) -> bool:
        """Whether this is a text that has to be translated: it has words, and is no name, code or unit."""
        words = [word for word in re.findall(r"[^\W\d_]+", re.sub(r"\{\d+\}", "", text)) if word not in self.units]
        return any(len(word) > 1 for word in words) and text not in self.exactly and not self.like.search(text)


@lru_cache(maxsize=1)
def read() -> Rules:
    """The project's rules."""
    data = tomllib.loads(Path(__file__).with_name("rules.toml").read_text(encoding="utf-8"))
    return Rules(
        files=tuple(data["files"]),
        calls=tuple(data["calls"]),
        names=re.compile("|".join(data["names"])),
        always=frozenset(data["always"]),
        exactly=frozenset(data["exactly"]),
        units=frozenset(data["units"]),
        also=tuple(data["also"]),
        like=re.compile("|".join(f"(?:{each})" for each in data["like"])),
        keys=frozenset(data["keys"]),
    )
