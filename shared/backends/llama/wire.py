"""Between our chat request and the JSON that llama.cpp's server takes and gives."""

from __future__ import annotations

from typing import Any

from shared.errors import BackendError, ContextOverflow, InvalidRequest
from shared.events import Alternative, Partial, Token
from shared.requests import ChatRequest, Message

# our name -> llama.cpp's
_SETTINGS = {
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "repetition_penalty": "repeat_penalty",
    "max_tokens": "max_tokens",
    "seed": "seed",
    "response_format": "response_format",
    "grammar": "grammar",
}


def payload(request: ChatRequest) -> dict[str, Any]:
    """The body of a streaming chat completion."""
    body: dict[str, Any] = {"messages": messages(request), "stream": True, "cache_prompt": True}
    body |= {theirs: getattr(request, ours) for ours, theirs in _SETTINGS.items() if getattr(request, ours) is not None}
    body["stream_options"] = {"include_usage": True}
    if request.stop:
        body["stop"] = list(request.stop)
    if request.top_logprobs:
        body |= {"logprobs": True, "top_logprobs": request.top_logprobs}
    return body


def messages(request: ChatRequest) -> list[dict[str, Any]]:
    """The conversation in the OpenAI form, with the system prompt first and the prefill, if any, last."""
    system = [{"role": "system", "content": request.system}] if request.system else []
    prefill = [{"role": "assistant", "content": request.prefill}] if request.prefill else []
    return [*system, *map(_message, request.messages), *prefill]


def _message(message: Message) -> dict[str, Any]:
    if not message.images:
        return {"role": message.role, "content": message.content}
    pictures = [{"type": "image_url", "image_url": {"url": i.data_url}} for i in message.images]
    return {"role": message.role, "content": [*pictures, {"type": "text", "text": message.content}]}


def partial(chunk: dict[str, Any]) -> Partial | None:
    """What a chunk adds to the answer, or None where it adds nothing."""
    choice = next(iter(chunk.get("choices") or []), None)
    if choice is None:
        return None
    delta = choice.get("delta") or {}
    text, thinking = delta.get("content") or "", delta.get("reasoning_content") or ""
    tokens = tuple(_token(t) for t in (choice.get("logprobs") or {}).get("content") or [])
    return Partial(text, thinking, tokens) if text or thinking or tokens else None


def _token(entry: dict[str, Any]) -> Token:
    others = tuple(Alternative(t["token"], t["logprob"]) for t in entry.get("top_logprobs") or [])
    return Token(entry["token"], entry["logprob"], others)


def failure(error: dict[str, Any], request: ChatRequest) -> BackendError | InvalidRequest:
    """The error of ours that the server's error object means."""
    if error.get("type") == "exceed_context_size_error":
        return ContextOverflow(int(error.get("n_prompt_tokens", 0)), int(error.get("n_ctx", 0)))
    message = str(error.get("message", "it gave no reason"))
    if "grammar" in message and request.grammar:
        return InvalidRequest("The grammar can't be read. Check it against llama.cpp's GBNF guide.")
    if error.get("type") == "invalid_request_error":
        return InvalidRequest(f"llama.cpp refused the request: {message}")
    return BackendError(f"llama.cpp failed: {message}. Try again; if it fails again, unload the model first.")
