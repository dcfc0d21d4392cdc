"""A conversation, and what is asked of its next turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from shared.errors import InvalidRequest
from shared.requests.base import ImagePart, Request, within

Role = Literal["user", "assistant"]


@dataclass(frozen=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str
    images: tuple[ImagePart, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ChatRequest(Request):
    """A conversation to be continued by the assistant.

    `response_format` is OpenAI's and InferenceClient's:
    `{"type": "json_schema", "json_schema": {"name": ..., "schema": {...}}}`, or `{"type": "json_object"}`.
    `grammar` is llama.cpp's GBNF. `top_logprobs` asks for that many alternatives a token (1 to 20).
    `prefill` begins the assistant's answer, which the engine then continues.
    `overflow`: what to do when the conversation is longer than the model reads.
    """

    messages: tuple[Message, ...]
    system: str | None = None
    prefill: str | None = None
    overflow: Literal["error", "trim"] = "error"
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    repetition_penalty: float | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    top_logprobs: int | None = None
    response_format: dict[str, Any] | None = None
    grammar: str | None = None
    reasoning_effort: Literal["none", "low", "medium", "high"] | None = None

    CONTENT: ClassVar[frozenset[str]] = frozenset({"messages", "system", "overflow"})
    WORDS: ClassVar[frozenset[str]] = frozenset({"prefill", "stop", "response_format", "grammar"})

    def validate(self) -> None:
        """Raise `InvalidRequest` for an empty conversation or a value out of range."""
        super().validate()
        if not self.messages or self.messages[-1].role != "user":
            raise InvalidRequest("The last message must be yours: write something to answer.")
        last = self.messages[-1]
        if not last.content.strip() and not last.images:
            raise InvalidRequest("The message is empty. Write something first.")
        within("temperature", self.temperature, 0.0, 2.0)
        within("top_p", self.top_p, 0.0, 1.0)
        within("top_k", self.top_k, 0, 1000)
        within("repetition_penalty", self.repetition_penalty, 0.5, 2.0)
        within("max_tokens", self.max_tokens, 1, 1_000_000)
        within("top_logprobs", self.top_logprobs, 1, 20)
        if self.response_format is not None and self.grammar is not None:
            raise InvalidRequest("Give either a JSON schema or a grammar, not both.")

    def texts(self) -> tuple[str, ...]:
        """The messages, the system prompt and the beginning of the answer."""
        return (*(message.content for message in self.messages), self.system or "", self.prefill or "")
