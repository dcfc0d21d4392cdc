"""What a run makes, one class a task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from shared.events import Token

# How an answer ended: by itself, at the token limit, by the person, by a filter, or by a broken connection.
FinishReason = Literal["stop", "length", "stopped", "content_filter", "cut"]


@dataclass(frozen=True, kw_only=True)
class ChatOutput:
    """An assistant's answer. `tokens` is filled where log-probabilities were asked for and given."""

    text: str
    thinking: str = ""
    finish_reason: FinishReason = "stop"
    tokens: tuple[Token, ...] = ()
