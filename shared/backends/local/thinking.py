"""Splits a reasoning model's stream into its thinking and its answer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Marks:
    """How a model family writes down where its thinking begins and ends, and what may lead its answer in."""

    opens: str
    closes: str
    leads: tuple[str, ...] = ()


THINK = Marks("<think>", "</think>")
# The families known here, the first the commonest. gpt-oss's form is OpenAI's "harmony".
FAMILIES = (
    THINK,
    Marks("[THINK]", "[/THINK]"),
    Marks(
        "<|channel|>analysis<|message|>",
        "<|end|>",
        ("<|start|>assistant<|channel|>final<|message|>", "<|channel|>final<|message|>"),
    ),
)


class ThinkSplitter:
    """Takes text as it comes; gives back what it adds to the answer and to the thinking.

    Text that may be the beginning of a mark is kept back until it is clear. A mark counts only at the very
    beginning of the answer, so that a model may write about `<think>` in prose.
    """

    def __init__(self, marks: Marks = THINK, *, inside: bool = False) -> None:
        self._marks, self._held = marks, ""
        self._step = self._think if inside else self._begin

    def push(self, text: str) -> tuple[str, str]:
        """(answer, thinking) that this text adds."""
        self._held += text
        answer = thinking = ""
        while True:
            before, held = self._step, self._held
            more = self._step()
            answer, thinking = answer + more[0], thinking + more[1]
            if self._step == before or (not self._held and held == self._held):
                return answer, thinking

    def rest(self) -> tuple[str, str]:
        """What was kept back, at the end of the stream."""
        held, self._held = self._held, ""
        return ("", held) if self._step == self._think else (held, "")

    def _begin(self) -> tuple[str, str]:
        text = self._held.lstrip()
        known = (self._marks.opens, *self._marks.leads)
        for mark in known:
            if text.startswith(mark):
                self._held = text[len(mark) :].lstrip("\n")
                self._step = self._think if mark == self._marks.opens else self._answer
                return "", ""
        if not any(mark.startswith(text) for mark in known):
            self._step = self._answer
        return "", ""

    def _think(self) -> tuple[str, str]:
        thinking, mark, after = self._held.partition(self._marks.closes)
        if mark:
            self._held, self._step = after, self._lead_in
            return "", thinking.rstrip("\n")
        keep = unfinished(self._held, (self._marks.closes, "\n" + self._marks.closes, "\n\n" + self._marks.closes))
        self._held, out = self._held[len(self._held) - keep :], self._held[: len(self._held) - keep]
        return "", out

    def _lead_in(self) -> tuple[str, str]:
        """Between the thinking and the answer: blank lines, and the mark that leads the answer in."""
        text = self._held = self._held.lstrip()
        for mark in self._marks.leads:
            if text.startswith(mark):
                self._held, self._step = text[len(mark) :], self._answer
                return "", ""
        if text and not any(mark.startswith(text) for mark in self._marks.leads):
            self._step = self._answer
        return "", ""

    def _answer(self) -> tuple[str, str]:
        out, self._held = self._held, ""
        return out, ""


def unfinished(text: str, marks: tuple[str, ...]) -> int:
    """How many characters at the end of `text` may be the beginning of one of the marks."""
    longest = max(map(len, marks), default=0)
    for size in range(min(longest, len(text)), 0, -1):
        if any(len(mark) > size and mark.startswith(text[-size:]) for mark in marks):
            return size
    return 0
