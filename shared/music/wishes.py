"""Reads a prompt as wishes of music: kind, key, metre, pace, length, instrument. What it can't read, it tells."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

PACES = ("slow", "moderate", "fast")
SETTINGS = ("kind", "tonic", "mode", "metre", "pace", "tempo", "density", "leaps", "bars", "duration", "instrument")
LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_SIGNS = {"#": 1, "♯": 1, "sharp": 1, "b": -1, "♭": -1, "flat": -1}
_MODES = {
    **{"major": "major", "maj": "major", "minor": "minor", "min": "minor", "m": "minor", "dorian": "dorian"},
    **{"dor": "dorian", "mixolydian": "mixolydian", "mix": "mixolydian"},
}
_KEY = re.compile(
    r"(?P<before>\b(?:in(?: the key of)?|key(?: of)?:?)\s+)?(?<![\w'])(?P<letter>[A-Ga-g])"
    r"(?:(?P<glued>#|♯|♭|b(?![a-z]))|[\s-]+(?P<sign>sharp|flat)\b)?"
    r"(?:(?P<m>m)(?!\w)|[\s-]*(?P<mode>major|minor|maj|min|dorian|dor|mixolydian|mix)\b)?(?!['\w#♯♭])"
)
_NUMBERS = (
    ("metre", re.compile(r"\b(\d+)\s?/\s?(\d+)\b")),
    ("bars", re.compile(r"\b(\d{1,4})[\s-]*bars?\b")),
    ("tempo", re.compile(r"\b(?:at\s+)?(\d{2,3})\s*(?:bpm|beats (?:a|per) minute)\b")),
    ("duration", re.compile(r"\b(\d{1,4})[\s-]*(?:s|sec|secs|seconds?)\b")),
    ("minutes", re.compile(r"\b(\d{1,2}|one|two|a|half a)[\s-]*minutes?\b")),
)
_MINUTES = {"one": 1.0, "a": 1.0, "two": 2.0, "half a": 0.5}


@dataclass(frozen=True)
class Meaning:
    """Words of the prompt, and what they were taken for."""

    words: str
    means: Mapping[str, Any]
    note: str = ""

    def __str__(self) -> str:
        settings = ", ".join(f"{name} {value}" for name, value in self.means.items() if name != "tonic")
        return f"{self.words}: {'; '.join(filter(None, (settings, self.note)))}"


@dataclass(frozen=True)
class Wish:
    """What a prompt asks for: in so many words, by what its moods stand for, and by what its kind brings along.

    The first of these that speaks of a matter counts.
    """

    asked: Mapping[str, Any] = field(default_factory=dict)
    mood: Mapping[str, Any] = field(default_factory=dict)
    implied: Mapping[str, Any] = field(default_factory=dict)
    meanings: tuple[Meaning, ...] = ()
    unread: tuple[str, ...] = ()

    def get(self, name: str) -> Any:
        """The value wished for, or None."""
        return self.asked.get(name, self.mood.get(name, self.implied.get(name)))


@cache
def table() -> Mapping[str, Any]:
    """The words that are known."""
    return tomllib.loads((Path(__file__).parent / "prompts.toml").read_text(encoding="utf-8"))


def understand(prompt: str) -> Wish:
    """Read the prompt. Nothing in it is an error: words that are not known stand in `unread`."""
    wish, rest = Wish(), prompt.replace("’", "'")
    wish, rest = _read_key(wish, rest)
    rest = rest.lower()
    for name, pattern in _NUMBERS:
        wish, rest = _read_number(wish, rest, name, pattern)
    wish, rest = _read_words(wish, rest)
    passed_over = set(table()["passed_over"]["words"].split())
    left = [
        word for word in re.findall(r"[^\W_]+(?:['-][^\W_]+)*|[^\w\s.,;:!?\"'()/|-]+", rest) if word not in passed_over
    ]
    return replace(wish, unread=tuple(dict.fromkeys(left)))


def _with(wish: Wish, words: str, means: Mapping[str, Any], note: str = "", *, mood: bool = False) -> Wish:
    """The first word on a matter counts; of moods, too. What a kind brings along is weaker than both."""
    told = {name: value for name, value in means.items() if value is not None}
    before = wish.mood if mood else wish.asked
    if any(before.get(name, value) != value for name, value in told.items()):
        note = "; ".join(filter(None, (note, "of two, the first counts")))
    meaning = Meaning(" ".join(words.split()), told, note)
    if meaning not in wish.meanings:
        wish = replace(wish, meanings=(*wish.meanings, meaning))
    if mood:
        return replace(wish, mood={**told, **wish.mood})
    if "kind" in told:
        along = {name: value for name, value in told.items() if name != "kind"} if "kind" not in wish.asked else {}
        return replace(wish, asked={"kind": told["kind"], **wish.asked}, implied={**along, **wish.implied})
    return replace(wish, asked={**told, **wish.asked})


def _read_key(wish: Wish, text: str) -> tuple[Wish, str]:
    rest, end = [], 0
    for found in _KEY.finditer(text):
        letter, mode = found["letter"], found["mode"] or found["m"]
        sure = letter.isupper() if letter in "Aa" and not mode else letter.isupper() or bool(found["before"])
        article = letter == "A" and not mode and not found["before"]
        if not sure or article or re.match(r"\s+(?:key|mode)\b", text[found.end() : found.end() + 20]):
            continue  # "a" is an article more often than a key
        sign = _SIGNS.get(found["glued"] or found["sign"] or "", 0)
        means = {"tonic": (LETTERS[letter.upper()] + sign) % 12, "mode": _MODES[mode] if mode else None}
        wish = _with(wish, found.group(), means, f"the key of {letter.upper()}{('♭', '', '♯')[sign + 1]}")
        rest += [text[end : found.start()], " | "]
        end = found.end()
    return wish, "".join([*rest, text[end:]])


def _read_number(wish: Wish, text: str, name: str, pattern: re.Pattern[str]) -> tuple[Wish, str]:
    found = pattern.search(text)
    if not found:
        return wish, text
    value: Any = found.group(1)
    if name == "metre":
        value = f"{int(found.group(1))}/{int(found.group(2))}"
    elif name == "minutes":
        name, value = "duration", 60 * _MINUTES.get(value, 0.0) or 60.0 * int(value)
    else:
        value = int(value)
    return _with(wish, found.group(), {name: value}), f"{text[: found.start()]} | {text[found.end() :]}"


@cache
def _phrases() -> tuple[re.Pattern[str], Mapping[str, tuple[Mapping[str, Any], str, bool]]]:
    """How to find the known phrases, the longest first; and of each what it sets, its note, if it is a mood."""
    known = {
        phrase: ({name: row[name] for name in SETTINGS if name in row}, row.get("note", ""), mood)
        for mood in (False, True)
        for row in table()["mood" if mood else "word"]
        for phrase in row["says"]
    }
    either = "|".join(re.escape(phrase) for phrase in sorted(known, key=len, reverse=True))
    return re.compile(rf"(?<![\w'-])(?:{either})(?![\w'-])"), known


def _read_words(wish: Wish, text: str) -> tuple[Wish, str]:
    """Phrases in the order of the prompt, so that the first counts where two speak of one matter."""
    pattern, known = _phrases()
    for words in dict.fromkeys(pattern.findall(text)):
        means, note, mood = known[words]
        wish = _with(wish, words, means, note, mood=mood)
    return wish, pattern.sub("|", text)
