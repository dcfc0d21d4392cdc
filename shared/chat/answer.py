"""An answer as it grows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shared.events import Event, Final, Partial, Piece, Token
from shared.pacing import INTERVAL, SoFar, paced


@dataclass(frozen=True, kw_only=True)
class Answer(SoFar):
    """An answer as far as it has come."""

    text: str = ""
    thinking: str = ""
    tokens: tuple[Token, ...] = ()


def answers(events: Iterator[Event], interval: float = INTERVAL) -> Iterator[Answer]:
    """The answer as it grows, by the rules of `paced`."""
    return paced(events, _Growing(), interval)


class _Growing:
    def __init__(self) -> None:
        self._text: list[str] = []
        self._thinking: list[str] = []
        self._tokens: list[Token] = []

    def add(self, event: Piece) -> None:
        if isinstance(event, Partial):
            self._text.append(event.text)
            self._thinking.append(event.thinking)
            self._tokens.extend(event.tokens)

    def so_far(self) -> Answer:
        return Answer(text="".join(self._text), thinking="".join(self._thinking), tokens=tuple(self._tokens))

    def whole(self, final: Final) -> Answer:
        return Answer(text=final.output.text, thinking=final.output.thinking, tokens=final.output.tokens)
