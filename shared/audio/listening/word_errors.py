"""Word error rate: the least number of words to change, leave out or put in to make of a text what was heard.

Divided by the words of the text. Both are first written alike, by the rules of Whisper's makers (Radford et al. 2022,
appendix C), so that “it's” and “it is”, or “ten” and “10”, are no errors. Where words have no blanks between them, as
in Japanese, characters are counted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.errors import InvalidRequest

MOST = 4000  # words of a text, for which the table of distances takes 32 MB
_SOUNDED = re.compile(r"\w")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")


@dataclass(frozen=True)
class Edit:
    """A word of the text and the word heard in its place; "" where there is none on that side."""

    said: str
    heard: str

    @property
    def same(self) -> bool:
        """Whether it was heard right."""
        return self.said == self.heard


@dataclass(frozen=True)
class WordErrors:
    """The words side by side. `characters`: they are single characters."""

    edits: tuple[Edit, ...]
    characters: bool = False

    @property
    def words(self) -> int:
        """Words of the text."""
        return sum(bool(edit.said) for edit in self.edits)

    @property
    def wrong(self) -> int:
        """Words that were changed, left out or put in."""
        return sum(not edit.same for edit in self.edits)

    @property
    def rate(self) -> float | None:
        """Errors a word: 0 is all right, and it may pass 1. None where the text has no word."""
        return self.wrong / self.words if self.words else None


def word_errors(said: str, heard: str, language: str = "en") -> WordErrors:
    """What differs. Raises `InvalidRequest` for texts that are too long."""
    characters = bool(_UNSPACED.search(said))
    one, other = (_words(text, language, characters) for text in (said, heard))
    if max(len(one), len(other)) > MOST:
        raise InvalidRequest(f"Word errors are counted in texts of {MOST:,} words at most. Choose a shorter one.")
    return WordErrors(tuple(_aligned(one, other)), characters)


def _words(text: str, language: str, characters: bool) -> list[str]:
    from transformers.models.whisper import english_normalizer

    library: Any = english_normalizer
    english = language == "en" and not characters
    plain = library.EnglishTextNormalizer({}) if english else library.BasicTextNormalizer(split_letters=characters)
    return [word for word in str(plain(text)).split() if _SOUNDED.search(word)]


def _aligned(said: Sequence[str], heard: Sequence[str]) -> list[Edit]:
    """The alignment with the fewest edits (Levenshtein 1965), by the table of Wagner and Fischer 1974."""
    table = _distances(said, heard)
    row, column, edits = len(said), len(heard), []
    while row or column:
        here = int(table[row, column])
        both = row and column
        if both and here == table[row - 1, column - 1] + (said[row - 1] != heard[column - 1]):
            row, column = row - 1, column - 1
            edits.append(Edit(said[row], heard[column]))
        elif row and here == table[row - 1, column] + 1:
            row -= 1
            edits.append(Edit(said[row], ""))
        else:
            column -= 1
            edits.append(Edit("", heard[column]))
    return edits[::-1]


def _distances(said: Sequence[str], heard: Sequence[str]) -> Any:
    """Edits between every beginning of one and of the other: int16 (said + 1, heard + 1)."""
    import numpy

    numbers = {word: number for number, word in enumerate({*said, *heard})}
    ours = numpy.array([numbers[word] for word in heard], numpy.int32)
    steps = numpy.arange(len(heard) + 1, dtype=numpy.int16)
    table = numpy.empty((len(said) + 1, len(heard) + 1), numpy.int16)
    table[0] = steps
    for row, word in enumerate(said, 1):
        best = table[row - 1] + 1
        best[1:] = numpy.minimum(best[1:], table[row - 1, :-1] + (ours != numbers[word]))
        # Words put in: the least of all that stand before, each with its way to here.
        table[row] = numpy.minimum.accumulate(best - steps) + steps
    return table
