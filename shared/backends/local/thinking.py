"""Separates a model's thinking from its answer, by the marks that model families put around it."""

from __future__ import annotations

from dataclasses import dataclass

from shared.backends.local.text import held_back


@dataclass(frozen=True)
class Marks:
    """What stands before and after the thinking."""

    begin: str
    end: str


# DeepSeek, Qwen, SmolLM and most others; Mistral's Magistral; gpt-oss ("harmony" channels).
STYLES = (
    Marks("<think>", "</think>"),
    Marks("[THINK]", "[/THINK]"),
    Marks("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
)
# Said before an answer that had no thinking; never shown.
_ANSWER_MARKS = ("<|channel|>final<|message|>",)
_BEGINNINGS = tuple(style.begin for style in STYLES) + _ANSWER_MARKS


def is_mark(token: str) -> bool:
    """Whether this special token is part of a mark, and so must not be skipped when text is decoded."""
    return len(token) > 1 and any(token in style.begin or token in style.end for style in STYLES)


class ThinkingSplitter:
    """Splits streamed text into thinking and answer.

    Marks count only before the answer has begun: later they are words that the model speaks of.
    `prompt_end` is the end of the prompt: some templates begin the thinking there themselves.
    """

    def __init__(self, prompt_end: str = "") -> None:
        self._style = next((s for s in STYLES if prompt_end.rstrip().endswith(s.begin)), None)
        self._held = ""
        self._answered = self._thought = False

    @property
    def thinking(self) -> bool:
        """Whether the text that comes now is thinking."""
        return self._style is not None

    def add(self, text: str) -> tuple[str, str]:
        """(thinking, answer) in the text so far; what may be the beginning of a mark is held back."""
        self._held += text
        thinking = ""
        while True:
            if self._style is not None:
                thinking += self._until(self._style.end)
                if self._style is not None:
                    return thinking, ""
            if self._answered or not self._mark():
                return thinking, self._answer()

    def flush(self) -> tuple[str, str]:
        """What was held back, at the end."""
        text, self._held = self._held, ""
        return (text, "") if self._style else ("", text)

    def _until(self, end: str) -> str:
        before, mark, after = self._held.partition(end)
        if mark:
            self._style, self._thought, self._held = None, True, after
            return before
        keep = held_back(self._held, [end])
        return self._take(len(self._held) - keep)

    def _mark(self) -> bool:
        """Whether a mark stood at the beginning; it is taken off."""
        text = self._held.lstrip()
        mark = next((b for b in _BEGINNINGS if text.startswith(b)), None)
        if mark is None:
            return False
        self._style = next((s for s in STYLES if s.begin == mark), None)
        self._thought, self._held = True, text[len(mark) :]
        return True

    def _answer(self) -> str:
        if not self._answered:
            text = self._held.lstrip()
            if any(begin.startswith(text) for begin in _BEGINNINGS):  # nothing yet, or part of a mark
                return ""
            self._answered = True
            self._held = text if self._thought else self._held
        return self._take(len(self._held))

    def _take(self, count: int) -> str:
        text, self._held = self._held[:count], self._held[count:]
        return text
