"""Turns tokens into text as they come: whole characters only, and nothing beyond a stop string."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

UNFINISHED = "�"  # what a tokenizer gives for a character whose last bytes are not there yet
LONGEST_CHARACTER = 8  # tokens; UTF-8 has at most four bytes a character, so more than this is not unfinished
KEPT = 6  # tokens of the text before the answer that are looked back on


class Decoder:
    """Decodes a growing list of tokens without decoding all of it each time.

    `decode` maps token ids to text. `skipped` are ids that are not shown. `before` are the ids that the answer
    continues, so that SentencePiece keeps the space between the two.
    """

    def __init__(
        self, decode: Callable[[list[int]], str], skipped: Collection[int] = (), before: Sequence[int] = ()
    ) -> None:
        self._decode, self._skipped = decode, skipped
        self._ids = self._whole([i for i in before[-KEPT:] if i not in skipped])
        self._shown = decode(self._ids) if self._ids else ""
        self._known, self._pending = len(self._ids), 0

    def _whole(self, ids: list[int]) -> list[int]:
        """The ids from the first on that begins a character."""
        while ids and UNFINISHED in self._decode(ids):
            ids = ids[1:]
        return ids

    def add(self, token: int) -> str:
        """The text that this token completes; empty while a character is unfinished."""
        if token in self._skipped:
            return ""
        self._ids.append(token)
        self._pending += 1
        text = self._decode(self._ids)
        if text.endswith(UNFINISHED) and self._pending < LONGEST_CHARACTER:
            return ""
        return self._show(text)

    def flush(self) -> str:
        """What is left at the end, unfinished as it may be."""
        return self._show(self._decode(self._ids)) if self._pending else ""

    def _show(self, text: str) -> str:
        new = text[len(self._shown) :]
        # The next piece is decoded after this one, which is whole: a cut anywhere else might split a character.
        self._ids = self._ids[self._known :]
        self._known, self._pending, self._shown = len(self._ids), 0, self._decode(self._ids)
        return new


class StopWatch:
    """Looks for stop strings, and holds back text that may be the beginning of one."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = [stop for stop in stops if stop]
        self._held = ""
        self.stopped = False

    def add(self, text: str) -> str:
        """The text that can be shown. After a stop string nothing more can."""
        if self.stopped:
            return ""
        text = self._held + text
        found = min((i for i in map(text.find, self._stops) if i >= 0), default=-1)
        if found >= 0:
            self.stopped, self._held = True, ""
            return text[:found]
        keep = held_back(text, self._stops)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def flush(self) -> str:
        """What was held back, at the end."""
        text, self._held = self._held, ""
        return text


def held_back(text: str, patterns: Sequence[str]) -> int:
    """The length of the longest end of `text` that is the beginning of a pattern, but not all of it."""
    longest = min(len(text), max(map(len, patterns), default=1) - 1)
    for length in range(longest, 0, -1):
        if any(pattern.startswith(text[-length:]) for pattern in patterns):
            return length
    return 0
