"""Cuts a text where a voice may take breath: at sentences, in long ones at clauses, then at words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

# Seconds of silence after each kind of end, at the voice's usual pace.
PARAGRAPH, SENTENCE, CLAUSE, NONE = 0.65, 0.35, 0.12, 0.0

_LINES = re.compile(r"[^\S\n]*\n\s*")
_SENTENCE = re.compile(r"(?<=[.!?…])[\"'”’»)\]]*\s+|(?<=[。！？])[」』”）]*\s*(?=\S)")
_CLAUSE = re.compile(r"(?<=[,;:—–])\s+|(?<=[、，；：])(?=\S)")
_WORDS = re.compile(r"\s+")
# What ends in a full stop and no sentence; and a capital before one is an initial.
_SHORT = frozenset(
    {"dr", "mr", "mrs", "ms", "prof", "st", "vs", "etc", "e.g", "i.e", "no", "vol", "fig", "jr", "sr", "gen", "capt",
     "approx", "inc", "ltd", "co", "z.b", "d.h", "bzw", "usw", "nr", "p.ej", "sra", "m", "mme"}
)  # fmt: skip


@dataclass(frozen=True)
class Part:
    """A text to be spoken at one go, and the seconds of silence to leave after it."""

    text: str
    pause: float


def parts(text: str, most: int, *, packed: bool = False) -> list[Part]:
    """The text in parts of at most `most` characters: a sentence each, or as many as fit where `packed`.

    Nothing but white space at the cuts is lost.
    """
    cut = [part for line in _LINES.split(text.strip()) if line.strip() for part in _of_paragraph(line, most)]
    return _pack(cut, most) if packed else cut


def _of_paragraph(line: str, most: int) -> Iterator[Part]:
    sentences = list(_split(line, _SENTENCE))
    for number, sentence in enumerate(sentences):
        last = number == len(sentences) - 1
        fitting = list(_fitting(sentence, most))
        yield from fitting[:-1]
        yield Part(fitting[-1].text, PARAGRAPH if last else SENTENCE)


def _split(line: str, where: re.Pattern[str]) -> Iterator[str]:
    begin = 0
    for found in where.finditer(line):
        closing = found.group().rstrip()  # quotes and brackets belong to the sentence that they close
        end = found.start() + len(closing)
        if where is _SENTENCE and not _ends(line, found.start(), line[found.end() : found.end() + 1]):
            continue
        if line[begin:end].strip():
            yield line[begin:end].strip()
        begin = found.end()
    if line[begin:].strip():
        yield line[begin:].strip()


def _ends(line: str, end: int, following: str) -> bool:
    """Whether the mark before `end` ends a sentence: not after an abbreviation, nor before a small letter."""
    if line[end - 1] != ".":
        return True
    word = line[line.rfind(" ", 0, end - 1) + 1 : end - 1].lstrip("(\"“'‘")
    initial = len(word) == 1 and word.isupper()
    return not (following.islower() or initial or word.lower() in _SHORT)


def _fitting(sentence: str, most: int) -> Iterator[Part]:
    """The sentence in parts that fit: cut at clauses, else at words, else anywhere."""
    if len(sentence) <= most:
        yield Part(sentence, SENTENCE)
        return
    for pattern, pause in ((_CLAUSE, CLAUSE), (_WORDS, NONE)):
        pieces = list(_split(sentence, pattern))
        if len(pieces) > 1:
            for text in _filled(pieces, most):
                *inner, end = _fitting(text, most)
                yield from inner
                yield Part(end.text, pause)
            return
    yield from (Part(sentence[at : at + most], NONE) for at in range(0, len(sentence), most))


def _filled(pieces: list[str], most: int) -> Iterator[str]:
    """Pieces put together again as long as they fit."""
    filled = pieces[0]
    for piece in pieces[1:]:
        if len(filled) + 1 + len(piece) <= most:
            filled += f" {piece}"
        else:
            yield filled
            filled = piece
    yield filled


def _pack(cut: list[Part], most: int) -> list[Part]:
    """Neighbours put together while they fit; paragraphs keep a blank line between them."""
    packed: list[Part] = []
    for part in cut:
        gap = "\n\n" if packed and packed[-1].pause >= PARAGRAPH else " "
        if packed and len(packed[-1].text) + len(gap) + len(part.text) <= most:
            packed[-1] = Part(f"{packed[-1].text}{gap}{part.text}", part.pause)
        else:
            packed.append(part)
    return packed
