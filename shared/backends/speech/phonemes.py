"""Texts as phonemes, for engines that read those: whatever stands in the text, and no more at one go than they take."""

from __future__ import annotations

import contextlib
import re
import unicodedata
from collections.abc import Callable, Iterator

from shared.audio.speaking import Speaking
from shared.backends.base import Outcome
from shared.errors import InvalidRequest

_LONG_NUMBER = re.compile(r"\d[\d,]{14,}")
_SOUNDED = re.compile(r"[^\W\d_]")


def read(reader: Callable[[str], str], text: str) -> str:
    """The text in phonemes, or "" where there is no letter to say.

    hibari's reader stumbles over numbers of 37 digits and over some rare signs: a second reading, of plainer text, and
    then none, keeps that from ending all that is said.
    """
    for attempt in (text, _plainer(text)):
        with contextlib.suppress(ValueError, TypeError, IndexError, KeyError, AttributeError):
            phonemes = reader(attempt)
            return phonemes if _SOUNDED.search(phonemes) else ""
    return ""


def _plainer(text: str) -> str:
    """Letters without their accents, signs as their plain likes, long numbers digit by digit, and nothing else."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return _LONG_NUMBER.sub(lambda digits: " ".join(digits.group().replace(",", "")), plain)


def pieces(phonemes: str, most: int) -> Iterator[str]:
    """The phonemes in pieces of at most `most` characters, cut between words where there is one to cut at."""
    piece = ""
    for word in filter(None, phonemes.split(" ")):
        if piece and len(piece) + 1 + len(word) > most:
            yield piece
            piece = ""
        while len(word) > most:
            yield word[:most]
            word = word[most:]
        piece = f"{piece} {word}" if piece else word
    if piece:
        yield piece


def outcome(speaking: Speaking, silent: int, of: int, reads: str) -> Outcome:
    """All that was said; `silent` of the parts held nothing to say. `reads`: the languages that can be read.

    Raises `InvalidRequest` where no part held anything.
    """
    output = speaking.output()
    if not output.pcm:
        raise InvalidRequest(f"This voice finds no word to say in this text: it reads {reads}. Change the text.")
    if not silent:
        return Outcome(output=output)
    left = f"{silent} of {of} parts hold nothing that this voice can say, and were left out."
    return Outcome(output=output, facts={"unhonoured": {"text": left}})
