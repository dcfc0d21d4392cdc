"""A GGUF model in llama.cpp's embedded server."""

from __future__ import annotations

import dataclasses
import json
import urllib.request
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from shared.backends.base import Capabilities, Outcome, Usage
from shared.backends.llama import wire
from shared.errors import BackendError, InvalidRequest
from shared.events import Token
from shared.outputs import ChatOutput, FinishReason
from shared.requests import ChatRequest, Request

if TYPE_CHECKING:
    from shared.streaming import Emit

TOKENS_PER_MESSAGE = 16  # more than any template puts around a message
COUNT_TIMEOUT = 10.0  # seconds, on loopback


class LlamaModel:
    """Serves as many people at once as it has slots; llama.cpp batches them and queues the rest."""

    concurrency = 0

    def __init__(self, server: Any, capabilities: Capabilities, parameters: Any, facts: Mapping[str, Any]) -> None:
        self._server, self._key = server, parameters.api_keys[0]
        self.facts = facts
        self.capabilities = dataclasses.replace(capabilities, context_length=parameters.n_ctx // parameters.n_parallel)

    def count_tokens(self, request: Request) -> int | None:
        """Exact, by the model's own template. A text far under the limit is not counted but bounded.

        A token holds at least one byte, so the bytes are an upper bound that costs nothing.
        """
        assert isinstance(request, ChatRequest)
        texts = [request.system or "", request.prefill or "", *(m.content for m in request.messages)]
        bound = sum(len(text.encode()) + TOKENS_PER_MESSAGE for text in texts)
        if bound < (self.capabilities.context_length or 0) // 2 and not any(m.images for m in request.messages):
            return bound
        return self._ask("/v1/chat/completions/input_tokens", {"messages": wire.messages(request)})

    def _ask(self, path: str, body: dict[str, Any]) -> int | None:
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        call = urllib.request.Request(self._server.listening_address + path, json.dumps(body).encode(), headers)
        try:
            with urllib.request.urlopen(call, timeout=COUNT_TIMEOUT) as answer:
                return int(json.load(answer)["input_tokens"])
        except (OSError, ValueError, KeyError):
            return None  # the run itself then tells whether it fits

    def run(self, request: Request, emit: Emit) -> Outcome:
        """Answer. Raises `ContextOverflow`, `InvalidRequest` or `BackendError` as llama.cpp reports them."""
        assert isinstance(request, ChatRequest)
        listener = _Listener(request, emit)
        try:
            self._server.handle_chat_completions(wire.payload(request), listener)
        except RuntimeError as error:
            if listener.stopped_by is None:
                raise InvalidRequest(f"llama.cpp refused the request: {error}") from error
        return listener.outcome()

    def close(self) -> None:
        """Stop the server and free the model."""
        self._server = None


class _Listener:
    """Called by llama.cpp with each chunk; returns True to make it stop."""

    def __init__(self, request: ChatRequest, emit: Emit) -> None:
        self._request, self._emit = request, emit
        self.stopped_by: BaseException | None = None
        self._text: list[str] = []
        self._thinking: list[str] = []
        self._tokens: list[Token] = []
        self._finish: str | None = None
        self._usage = Usage()

    def __call__(self, chunk: dict[str, Any]) -> bool:
        try:
            self._take(chunk)
        except BaseException as error:  # an exception must not cross the C++ frames above
            self.stopped_by = error
            return True
        return False

    def _take(self, chunk: dict[str, Any]) -> None:
        self._emit.check()
        if "error" in chunk:
            raise wire.failure(chunk["error"], self._request)
        if part := wire.partial(chunk):
            self._text.append(part.text)
            self._thinking.append(part.thinking)
            self._tokens.extend(part.tokens)
            self._emit(part)
        for choice in chunk.get("choices") or []:
            self._finish = choice.get("finish_reason") or self._finish
        if usage := chunk.get("usage"):
            self._usage = Usage(
                input_tokens=usage.get("prompt_tokens"),
                output_tokens=usage.get("completion_tokens"),
                cached_tokens=(usage.get("prompt_tokens_details") or {}).get("cached_tokens"),
            )

    def outcome(self) -> Outcome:
        if self.stopped_by is not None:
            raise self.stopped_by
        if self._finish is None:
            raise BackendError("llama.cpp ended without an answer. Try again.")
        reason = cast(FinishReason, self._finish if self._finish in {"stop", "length"} else "stop")
        output = ChatOutput(
            text="".join(self._text),
            thinking="".join(self._thinking),
            finish_reason=reason,
            tokens=tuple(self._tokens),
        )
        return Outcome(output=output, usage=self._usage)
