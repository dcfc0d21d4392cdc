"""Gathers a run's events into the answer so far, and paces how often a screen is told of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace

from shared.errors import InferenceError
from shared.events import Event, Final, Partial, Progress, Token
from shared.receipts import Receipt

# A screen is told about four times a second: each telling costs the server about a millisecond.
INTERVAL = 0.25


@dataclass(frozen=True)
class Answer:
    """An answer as far as it has come. `status` says what goes on while there is no text yet."""

    text: str = ""
    thinking: str = ""
    tokens: tuple[Token, ...] = ()
    status: str = ""
    finish_reason: str | None = None
    receipt: Receipt | None = None
    error: InferenceError | None = None

    @property
    def done(self) -> bool:
        """Whether nothing more will come."""
        return self.receipt is not None or self.error is not None


def answers(events: Iterator[Event], interval: float = INTERVAL) -> Iterator[Answer]:
    """The answer as it grows: at once when it begins, then at most every `interval` seconds, then whole.

    An `InferenceError` doesn't leave here: it ends the answer and stands in it, with all that came before.
    Closing this iterator closes `events`.
    """
    with closing(events):  # type: ignore[type-var]
        yield from _paced(events, interval)


def _paced(events: Iterator[Event], interval: float) -> Iterator[Answer]:
    growing = _Growing()
    told = float("-inf")
    began = False
    try:
        for event in events:
            growing.add(event)
            now = time.monotonic()
            starts = isinstance(event, Partial) and not began
            began = began or starts
            if starts or growing.final or now - told >= interval:
                told = now
                yield growing.answer()
    except InferenceError as error:
        yield growing.failed(error)


class _Growing:
    def __init__(self) -> None:
        self.text: list[str] = []
        self.thinking: list[str] = []
        self.tokens: list[Token] = []
        self.status = ""
        self.final: Final | None = None

    def add(self, event: Event) -> None:
        if isinstance(event, Partial):
            self.text.append(event.text)
            self.thinking.append(event.thinking)
            self.tokens.extend(event.tokens)
            self.status = ""
        elif isinstance(event, Progress):
            self.status = _status(event)
        elif isinstance(event, Final):
            self.final = event

    def answer(self) -> Answer:
        if self.final:
            return _whole(self.final)
        return Answer("".join(self.text), "".join(self.thinking), tuple(self.tokens), self.status)

    def failed(self, error: InferenceError) -> Answer:
        so_far = _whole(error.partial) if error.partial else self.answer()
        return replace(so_far, status="", error=error)


def _whole(final: Final) -> Answer:
    output = final.output
    return Answer(output.text, output.thinking, output.tokens, "", output.finish_reason, final.receipt)


def _status(progress: Progress) -> str:
    """The message, with how far it is and how long it has taken, where these are known."""
    parts = [progress.message]
    if progress.step is not None and progress.total:
        parts.append(f"{100 * progress.step / progress.total:.0f}%")
    if progress.elapsed is not None and progress.elapsed >= 1:
        parts.append(f"{progress.elapsed:.0f} s")
    return " · ".join(parts)
