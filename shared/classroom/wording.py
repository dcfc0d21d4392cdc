"""What a text reads as, whatever letters it is written in; and whether a word stands in it."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path

_ALIKE = Path(__file__).with_name("lookalikes.toml")
# Letters and signs that show nothing: the fillers of Hangul, the empty pattern of braille. Unicode's other unseen ones
# are of the kinds that `shown` leaves out, or marks.
_UNSEEN = dict.fromkeys((0x115F, 0x1160, 0x3164, 0xFFA0, 0x2800, 0x034F, 0x17B4, 0x17B5, *range(0x180B, 0x1810)))
_UNSEEN |= dict.fromkeys((*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
_LETTERED = (0x1F150, 0x1F170, 0x1F1E6)  # where A to Z stand in discs, in squares and as flags' letters
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_INNER = re.compile(r"[\w@€$]+(?:[!|+]+[\w@€$]+)*")  # what may be one word; a sign at its end only ends it
_SHORT = 3  # letters from which on a word is also looked for with its letters set apart


def shown(text: str) -> str:
    """The text without what can't be seen in it, or turns the rest: its characters in NFC."""
    kept = (c for c in unicodedata.normalize("NFC", text) if unicodedata.category(c)[0] in "LMNPSZ")
    return "".join(kept).translate(_UNSEEN)


def plain(text: str) -> str:
    """What it reads as: without accents, capitals and what can't be seen, letters that look alike as one."""
    flat = unicodedata.normalize("NFKD", shown(text.translate(_alike())).casefold())
    return "".join(c for c in flat if unicodedata.category(c) != "Mn").translate(_alike())


def blocked(words: Iterable[str], texts: Iterable[str]) -> str | None:
    """The first of the words that stands in one of the texts as a word of its own, however it is written there.

    In scripts that set no spaces between words it may stand anywhere.
    """
    wanted = tuple(word for word in (word.strip() for word in words) if word)
    if not wanted:
        return None
    said = [reading for text in texts if text for reading in _readings(text)]
    for word in wanted:
        pattern = _pattern(word)
        if pattern is not None and any(pattern.search(reading) for reading in said):
            return word
    return None


def _readings(text: str) -> set[str]:
    """With digits and signs as what they are, and as the letters that they may stand for."""
    told = plain(text)
    return {told, _INNER.sub(lambda found: found[0].translate(_signs()), told)}


@lru_cache(maxsize=512)
def _pattern(word: str) -> re.Pattern[str] | None:
    told = plain(word)
    letters = [c for c in told if not c.isspace()]
    if not letters:
        return None
    ways = [r"[\W_]+".join(re.escape(part) for part in told.split())]
    if _UNSPACED.search(told):
        return re.compile(ways[0])
    if len(letters) >= _SHORT and all(c.isalpha() for c in letters):
        ways.append(r"[\W_]{1,3}".join(letters))
    edges = r"(?<![^\W\d_])" if letters[0].isalpha() else "", r"(?![^\W\d_])" if letters[-1].isalpha() else ""
    return re.compile(f"{edges[0]}(?:{'|'.join(ways)}){edges[1]}")


@cache
def _table() -> dict[str, dict[str, str]]:
    read = tomllib.loads(_ALIKE.read_text("utf-8"))
    return {"signs": read.pop("signs"), "letters": read}


@cache
def _alike() -> dict[int, str | None]:
    found: dict[int, str | None] = {ord(c): latin for latin, like in _table()["letters"].items() for c in like}
    found |= {ord(c.upper()): latin for latin, like in _table()["letters"].items() for c in like if len(c.upper()) == 1}
    return found | {first + n: chr(ord("a") + n) for first in _LETTERED for n in range(26)}


@cache
def _signs() -> dict[int, str]:
    return {ord(c): latin for latin, like in _table()["signs"].items() for c in like}
