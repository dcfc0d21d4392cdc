"""Reads the events of Anthropic's stream."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from shared.backends.base import Usage
from shared.backends.hosted.model import Piece
from shared.errors import ContentFiltered
from shared.events import Partial
from shared.outputs import FinishReason

_FINISH: Mapping[str, FinishReason] = {"max_tokens": "length", "model_context_window_exceeded": "length"}


class AnthropicReader:
    """Reads one stream. Token counts come in two parts: at its start and at its end."""

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._counts: dict[str, int] = {}
        self._finish: FinishReason = "stop"

    def __call__(self, event: Any) -> Piece:
        read = _READERS.get(getattr(event, "type", None) or "")
        return read(self, event) if read else Piece()

    def start(self, event: Any) -> Piece:
        """The model that answers, and the tokens of the request."""
        self._count(event.message.usage)
        return Piece(facts={"served_model": event.message.model, "request_id": event.message.id}, usage=self._usage())

    def delta(self, event: Any) -> Piece:
        """A piece of the answer or of the thinking; signatures and the like are nothing to show."""
        text, thinking = getattr(event.delta, "text", None), getattr(event.delta, "thinking", None)
        return Piece(partial=Partial(text or "", thinking or "")) if text or thinking else Piece()

    def end(self, event: Any) -> Piece:
        """Why it ends, and the tokens of the answer. Raises `ContentFiltered`."""
        self._count(event.usage)
        if event.delta.stop_reason == "refusal":
            about = getattr(event.delta.stop_details, "category", None)
            raise ContentFiltered(self._provider, f"It sees this as “{about}”." if about else "")
        self._finish = _FINISH.get(event.delta.stop_reason or "", "stop")
        return Piece(usage=self._usage())

    def stop(self, event: Any) -> Piece:
        """The answer is complete."""
        return Piece(finish=self._finish)

    def _count(self, usage: Any) -> None:
        names = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
        counts = {name: getattr(usage, name, None) for name in names}
        counts["thinking"] = getattr(getattr(usage, "output_tokens_details", None), "thinking_tokens", None)
        self._counts |= {name: count for name, count in counts.items() if count is not None}

    def _usage(self) -> Usage:
        """Anthropic counts what was read from the cache apart from the input; here it is a part of it."""
        count = self._counts.get
        cached, written = count("cache_read_input_tokens", 0), count("cache_creation_input_tokens", 0)
        given = count("input_tokens")
        return Usage(
            input_tokens=None if given is None else given + cached + written,
            output_tokens=count("output_tokens"),
            cached_tokens=count("cache_read_input_tokens"),
            reasoning_tokens=count("thinking"),
        )


_READERS: Mapping[str, Callable[[AnthropicReader, Any], Piece]] = {
    "message_start": AnthropicReader.start,
    "content_block_delta": AnthropicReader.delta,
    "message_delta": AnthropicReader.end,
    "message_stop": AnthropicReader.stop,
}
