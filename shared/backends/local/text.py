"""Turns tokens into text as they come: whole characters only, and nothing beyond a stop string."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

UNFINISHED = "�"  # what a tokenizer gives for a character whose last bytes are not there yet
LONGEST_CHARACTER = 8  # tokens; UTF-8 has at most four bytes a character, so more than this is not unfinished
WINDOW, KEPT = 24, 6  # tokens decoded again with each new one, and those kept when the window moves on


class Decoder:
    """Decodes a growing list of tokens without decoding all of it each time.

    `decode` maps token ids to text. `skipped` are ids that are not shown. `before` are the ids that the answer
    continues, so that SentencePiece keeps the space between the two.
    """

    def __init__(
        self, decode: Callable[[list[int]], str], skipped: Collection[int] = (), before: Sequence[int] = ()
    ) -> None:
        self._decode, self._skipped = decode, skipped
        self._ids = [i for i in before[-KEPT:] if i not in skipped]
        self._shown = decode(self._ids) if self._ids else ""
        self._pending = 0
        self._whole: list[int] = []  # lengths of `_ids` at which the text was whole

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
        new, self._pending = text[len(self._shown) :], 0
        self._shown = text
        self._whole.append(len(self._ids))
        if len(self._ids) > WINDOW:
            self._move_on()
        return new

    def _move_on(self) -> None:
        """Forget the oldest tokens, but never a part of a character: its other bytes would not decode then."""
        start = max((n for n in self._whole if n <= len(self._ids) - KEPT), default=0)
        self._ids = self._ids[start:]
        self._whole = [n - start for n in self._whole if n > start]
        self._shown = self._decode(self._ids)


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
