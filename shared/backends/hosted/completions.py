"""Chat Completions, the form that OpenAI-compatible servers and Hugging Face's router share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared.backends.base import Usage
from shared.backends.hosted.model import Call, Piece
from shared.backends.hosted.reply import Reported
from shared.backends.llama.wire import messages
from shared.errors import ContentFiltered
from shared.events import Alternative, Partial, Token
from shared.outputs import FinishReason

# our name -> the argument's
_ARGUMENTS = ("temperature", "top_p", "max_tokens", "seed", "response_format")
_FINISH: dict[str, FinishReason] = {"length": "length"}  # any other that ends an answer is a stop


def arguments(call: Call) -> dict[str, Any]:
    """Keyword arguments of a streaming `chat.completions.create`; fields of a server's own under `extra_body`."""
    request, sent_as = call.request, call.account.endpoint.sent_as
    given = {name: getattr(request, name) for name in (*_ARGUMENTS, *sent_as)}
    given = {name: value for name, value in given.items() if value is not None}
    body = {sent_as[name]: value for name, value in given.items() if name in sent_as}
    arguments: dict[str, Any] = {name: value for name, value in given.items() if name not in sent_as}
    arguments |= {"messages": messages(request), "stream": True, "stream_options": {"include_usage": True}}
    if request.stop:
        arguments["stop"] = list(request.stop)
    if request.top_logprobs:
        arguments |= {"logprobs": True, "top_logprobs": request.top_logprobs}
    if call.effort is not None:
        body[call.profile.thinking] = call.effort
    if request.prefill:
        body |= call.account.endpoint.prefill
    return arguments | ({"extra_body": body} if body else {})


def pieces(chunk: Any, provider: str) -> Iterator[Piece]:
    """What a chunk tells. Raises `ContentFiltered`."""
    if usage := _get(chunk, "usage"):
        yield Piece(usage=_usage(usage))
    if model := _get(chunk, "model"):
        yield Piece(facts={"served_model": str(model), "request_id": _get(chunk, "id")})
    choice = next(iter(_get(chunk, "choices") or []), None)
    if choice is None:
        return
    if (partial := _partial(choice)) is not None:
        yield Piece(partial=partial)
    if reason := _get(choice, "finish_reason"):
        yield _end(str(reason), chunk, provider)


def _end(reason: str, chunk: Any, provider: str) -> Piece:
    if reason == "content_filter":
        raise ContentFiltered(provider)
    if reason == "error":
        raise Reported(_get(chunk, "error") or {"message": "it stopped with an error."})
    return Piece(finish=_FINISH.get(reason, "stop"))


def _partial(choice: Any) -> Partial | None:
    delta = _get(choice, "delta")
    text = _get(delta, "content") or _get(delta, "refusal") or ""
    thinking = _get(delta, "reasoning_content") or _get(delta, "reasoning") or ""
    listed = _get(_get(choice, "logprobs"), "content") or []
    tokens = tuple(map(_token, listed))
    return Partial(str(text), str(thinking), tokens) if text or thinking or tokens else None


def _token(entry: Any) -> Token:
    others = [(_get(each, "token"), _get(each, "logprob")) for each in _get(entry, "top_logprobs") or []]
    alternatives = tuple(Alternative(str(text), float(logprob)) for text, logprob in others if logprob is not None)
    return Token(str(_get(entry, "token")), float(_get(entry, "logprob") or 0.0), alternatives)


def _usage(usage: Any) -> Usage:
    return Usage(
        input_tokens=_get(usage, "prompt_tokens"),
        output_tokens=_get(usage, "completion_tokens"),
        cached_tokens=_get(_get(usage, "prompt_tokens_details"), "cached_tokens"),
        reasoning_tokens=_get(_get(usage, "completion_tokens_details"), "reasoning_tokens"),
    )


def _get(thing: Any, name: str) -> Any:
    """A field that may be missing: clients build their objects from whatever the server sent.

    Hugging Face's objects are dicts too, but as such they lose fields that its client doesn't know.
    """
    return thing.get(name) if type(thing) is dict else getattr(thing, name, None)
