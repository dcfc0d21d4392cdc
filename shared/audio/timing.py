"""Estimates when each word is spoken, for engines that don't say."""

from __future__ import annotations

import re

from shared.events import Word

# How long a mark holds the voice up, in letters.
_HOLDS = {",": 2.0, ";": 3.0, ":": 3.0, "—": 3.0, "–": 2.0, ".": 4.0, "!": 4.0, "?": 4.0, "…": 4.0}
_OWN = 1.2  # letters' worth that a word takes whatever its length
# Where words have no spaces between them, each character counts as one.
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\s\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")


def estimated(text: str, start: float, end: float, speaker: str = "") -> tuple[Word, ...]:
    """The words of a text that sounds from `start` to `end` (seconds), each given time by its length and marks.

    A proportional estimate: some tenths of a second off in a long sentence.
    """
    words = _UNSPACED.findall(text)
    weights = [_weight(word) for word in words]
    total = sum(weights)
    if not total:
        return ()
    found, at = [], start
    for word, weight in zip(words, weights, strict=True):
        until = at + (end - start) * weight / total
        found.append(Word(word, round(at, 3), round(until, 3), speaker))
        at = until
    return tuple(found)


def _weight(word: str) -> float:
    letters = sum(character.isalnum() for character in word)
    digits = sum(character.isdigit() for character in word)
    held = sum(_HOLDS.get(character, 0.0) for character in word[-2:])
    return (letters + 2 * digits + _OWN if letters else 0.3) + held
