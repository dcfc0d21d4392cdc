"""OpenAI by its Responses API, with the thinking of its reasoning models as they summarise it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING, Any

from shared.backends.base import Usage
from shared.backends.endpoints import PROVIDERS, Profile
from shared.backends.hosted.account import Account, provider_account
from shared.backends.hosted.model import Call, HostedBackend, Piece
from shared.backends.hosted.openai_client import openai_client
from shared.backends.hosted.reply import Reported, read_reply
from shared.errors import ContentFiltered
from shared.events import Alternative, Partial, Token
from shared.requests import ChatRequest, Message

if TYPE_CHECKING:
    from shared.catalog import Variant
    from shared.settings import Settings


class OpenAIChat(HostedBackend):
    """Models of api.openai.com by their own names in `variant.repo_id`."""

    package = distribution = "openai"

    def account(self, variant: Variant, settings: Settings) -> Account:
        """Raises `MissingCredentials` without a key."""
        return provider_account("openai", settings)

    def profile(self, variant: Variant) -> Profile:
        """What `providers.toml` says of the model."""
        return PROVIDERS["openai"].profile(variant.repo_id)

    async def stream(self, call: Call) -> AsyncIterator[Piece]:
        """The Responses API as a stream."""
        arguments = _arguments(call)
        try:
            events = await _open(call, arguments)
        except Exception as error:
            if not _summary_refused(error):
                raise
            arguments["reasoning"].pop("summary")
            yield Piece(facts={"thinking": "OpenAI shows it to verified organisations only"})
            events = await _open(call, arguments)
        async with events:
            async for event in events:
                if read := _READERS.get(getattr(event, "type", None) or ""):
                    yield read(event, call)


async def _open(call: Call, arguments: dict[str, Any]) -> Any:
    return await openai_client(call.account, call.http).responses.create(**arguments)


def _summary_refused(error: Exception) -> bool:
    reply = read_reply(error)
    return reply is not None and reply.status == 400 and reply.param == "reasoning.summary"


def _arguments(call: Call) -> dict[str, Any]:
    request = call.request
    arguments: dict[str, Any] = {
        "model": call.variant.repo_id,
        "input": [_message(m) for m in request.messages],
        "stream": True,
        "store": False,
    }
    optional = {
        "instructions": request.system,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "max_output_tokens": request.max_tokens,
        "text": _format(request),
        "reasoning": _reasoning(call),
    }
    arguments |= {name: value for name, value in optional.items() if value is not None}
    if request.top_logprobs:
        arguments |= {"top_logprobs": request.top_logprobs, "include": ["message.output_text.logprobs"]}
    return arguments


def _reasoning(call: Call) -> dict[str, Any] | None:
    if not call.profile.thinking:
        return None
    effort = {} if call.effort is None else {"effort": call.effort}
    return {**effort, "summary": "auto"}


def _format(request: ChatRequest) -> dict[str, Any] | None:
    """The Responses API has the schema one level higher than Chat Completions."""
    if request.response_format is None:
        return None
    kind = {"type": request.response_format.get("type")}
    return {"format": {**kind, **request.response_format.get("json_schema", {})}}


def _message(message: Message) -> dict[str, Any]:
    if not message.images:
        return {"role": message.role, "content": message.content}
    pictures = [
        {
            "type": "input_image",
            "detail": "auto",
            "image_url": image.data_url,
        }
        for image in message.images
    ]
    return {"role": message.role, "content": [*pictures, {"type": "input_text", "text": message.content}]}


def _text(event: Any, call: Call) -> Piece:
    tokens = tuple(map(_token, getattr(event, "logprobs", None) or []))
    return Piece(partial=Partial(event.delta, tokens=tokens))


def _token(entry: Any) -> Token:
    others = [(each.token, each.logprob) for each in entry.top_logprobs or []]
    return Token(entry.token, entry.logprob, tuple(Alternative(t or "", p) for t, p in others if p is not None))


def _thought(event: Any, call: Call) -> Piece:
    return Piece(partial=Partial(thinking=event.delta))


def _next_thought(event: Any, call: Call) -> Piece:
    return Piece(partial=Partial(thinking="\n\n")) if event.summary_index else Piece()


def _done(event: Any, call: Call) -> Piece:
    response = event.response
    return Piece(finish="stop", usage=_usage(response.usage), facts=_facts(response))


def _incomplete(event: Any, call: Call) -> Piece:
    response = event.response
    if getattr(response.incomplete_details, "reason", None) == "content_filter":
        raise ContentFiltered(call.account.name)
    return Piece(finish="length", usage=_usage(response.usage), facts=_facts(response))


def _failed(event: Any, call: Call) -> Piece:
    source = getattr(event, "response", None)
    error = source.error if source is not None else event
    raise Reported({"code": getattr(error, "code", None), "message": getattr(error, "message", "")})


def _facts(response: Any) -> dict[str, Any]:
    return {"served_model": response.model, "request_id": response.id}


def _usage(usage: Any) -> Usage | None:
    if usage is None:
        return None
    return Usage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cached_tokens=getattr(usage.input_tokens_details, "cached_tokens", None),
        reasoning_tokens=getattr(usage.output_tokens_details, "reasoning_tokens", None),
    )


_READERS: Mapping[str, Callable[[Any, Call], Piece]] = {
    "response.output_text.delta": _text,
    "response.refusal.delta": _text,
    "response.reasoning_summary_text.delta": _thought,
    "response.reasoning_summary_part.added": _next_thought,
    "response.reasoning_text.delta": _thought,
    "response.completed": _done,
    "response.incomplete": _incomplete,
    "response.failed": _failed,
    "error": _failed,
}
