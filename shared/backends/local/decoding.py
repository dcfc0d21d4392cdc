"""From token ids to text as it comes: whole characters only, and nothing past a stop text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from shared.backends.local.thinking import unfinished

_UNFINISHED = "\N{REPLACEMENT CHARACTER}"  # what a decoder shows for bytes that are not yet a character
_MOST_PIECES = 4  # tokens one character can be spread over: UTF-8 has four bytes at most


class TextStream:
    """Decodes one token at a time.

    A tokenizer may drop or add a space at the beginning of what it decodes, so each piece is decoded together
    with the one before it and the difference taken. `before` are the prompt's last tokens.
    """

    def __init__(self, decode: Callable[[list[int]], str], before: Sequence[int] = ()) -> None:
        self._decode, self._ids = decode, list(before)
        self._done = len(self._ids)

    def push(self, token: int) -> str:
        """The text that this token completes; empty in the middle of a character."""
        self._ids.append(token)
        known = self._decode(self._ids[: self._done])
        text = self._decode(self._ids)
        if text.endswith(_UNFINISHED) and len(self._ids) - self._done < _MOST_PIECES:
            return ""
        self._ids, self._done = self._ids[self._done :], len(self._ids) - self._done
        return text[len(known) :]

    def rest(self) -> str:
        """The text of the tokens that never became a whole character."""
        return self._decode(self._ids)[len(self._decode(self._ids[: self._done])) :]


class StopFilter:
    """Ends the text at the first of the stop texts, which is left out.

    Text that may be the beginning of one is kept back until it is clear.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._held = ""
        self.stopped = False

    def push(self, text: str) -> str:
        """What may be shown now."""
        if self.stopped:
            return ""
        self._held += text
        found = [at for stop in self._stops if (at := self._held.find(stop)) >= 0]
        if found:
            self.stopped = True
            out, self._held = self._held[: min(found)], ""
            return out
        keep = unfinished(self._held, self._stops)
        out, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        return out

    def rest(self) -> str:
        """What was kept back, at the end of the stream."""
        out, self._held = self._held, ""
        return out
