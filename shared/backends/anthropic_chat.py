"""Anthropic's Messages API, with the thinking of its models."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING, Any

from shared.backends.endpoints import PROVIDERS, Profile
from shared.backends.hosted.account import Account, provider_account
from shared.backends.hosted.anthropic_events import AnthropicReader
from shared.backends.hosted.model import Call, HostedBackend, Piece
from shared.backends.hosted.openai_client import drop_environment_headers
from shared.errors import InvalidRequest
from shared.requests import ChatRequest, ImagePart, Message

if TYPE_CHECKING:
    import httpx2
    from anthropic import AsyncAnthropic

    from shared.catalog import Variant
    from shared.settings import Settings

LONGEST = 4096  # tokens of an answer where none was asked for: the API insists on a number
LEAST_THINKING = 1024  # tokens; the API takes no smaller budget


class AnthropicChat(HostedBackend):
    """Models of api.anthropic.com by their own names in `variant.repo_id`."""

    package = distribution = "anthropic"

    def account(self, variant: Variant, settings: Settings) -> Account:
        """Raises `MissingCredentials` without a key."""
        return provider_account("anthropic", settings)

    def profile(self, variant: Variant) -> Profile:
        """What `providers.toml` says of the model."""
        return PROVIDERS["anthropic"].profile(variant.repo_id)

    async def stream(self, call: Call) -> AsyncIterator[Piece]:
        """The Messages API as a stream."""
        arguments, read = _arguments(call), AnthropicReader(call.account.name)
        client = anthropic_client(call.account, call.http)
        async with await client.messages.create(**arguments) as events:
            async for event in events:
                yield read(event)


def anthropic_client(account: Account, http: httpx2.AsyncClient) -> AsyncAnthropic:
    """Anthropic's client, set to use nothing from the environment and to retry nothing."""
    from anthropic import AsyncAnthropic

    client = AsyncAnthropic(
        api_key=account.reveal(), base_url=account.base_url, max_retries=0, http_client=http, open_telemetry=False
    )
    drop_environment_headers(client)
    return client


def _arguments(call: Call) -> dict[str, Any]:
    request = call.request
    arguments: dict[str, Any] = {
        "model": call.variant.repo_id,
        "max_tokens": request.max_tokens or LONGEST,
        "messages": [*map(_message, request.messages), *_prefill(request)],
        "stream": True,
    }
    if request.system:
        arguments["system"] = request.system
    if request.stop:
        arguments["stop_sequences"] = list(request.stop)
    sampling = {name: getattr(request, name) for name in ("temperature", "top_p", "top_k")}
    sampling = {name: value for name, value in sampling.items() if value is not None}
    if sampling:
        arguments["extra_body"] = sampling  # the client dropped these arguments; older models still take them
    output = _format(request)
    arguments |= _THINKING[call.profile.thinking](call, arguments["max_tokens"], output)
    return arguments | ({"output_config": output} if output else {})


def _adaptive(call: Call, room: int, output: dict[str, Any]) -> dict[str, Any]:
    """The model decides how much to think; an effort word leans on it, or names another kind of thinking."""
    if call.effort in {"disabled", "between_tools"}:
        return {"thinking": {"type": call.effort}}
    if call.effort is not None:
        output["effort"] = call.effort
    return {"thinking": {"type": "adaptive", "display": "summarized"}}


def _on_request(call: Call, room: int, output: dict[str, Any]) -> dict[str, Any]:
    return {} if call.effort is None else _adaptive(call, room, output)


def _budget(call: Call, room: int, output: dict[str, Any]) -> dict[str, Any]:
    """Thinking has its own budget, but of the same tokens as the answer."""
    if not call.effort:
        return {}
    budget = min(call.effort, room // 2)
    if budget < LEAST_THINKING:
        raise InvalidRequest(
            f"To think, this model needs a longest answer of at least {2 * LEAST_THINKING} tokens. Raise it."
        )
    return {"thinking": {"type": "enabled", "budget_tokens": budget}}


_THINKING: Mapping[str, Callable[[Call, int, dict[str, Any]], dict[str, Any]]] = {
    "adaptive": _adaptive,
    "adaptive-on-request": _on_request,
    "budget": _budget,
}


def _format(request: ChatRequest) -> dict[str, Any]:
    if request.response_format is None:
        return {}
    schema = request.response_format.get("json_schema", {}).get("schema")
    if schema is None:
        raise InvalidRequest("Anthropic needs a JSON schema to answer in JSON. Give one, or ask for it in the prompt.")
    return {"format": {"type": "json_schema", "schema": schema}}


def _prefill(request: ChatRequest) -> list[dict[str, Any]]:
    # The API refuses an answer that ends in white space.
    return [{"role": "assistant", "content": request.prefill.rstrip()}] if request.prefill else []


def _message(message: Message) -> dict[str, Any]:
    if not message.images:
        return {"role": message.role, "content": message.content}
    pictures = [{"type": "image", "source": _source(image)} for image in message.images]
    words = [{"type": "text", "text": message.content}] if message.content.strip() else []
    return {"role": message.role, "content": [*pictures, *words]}


def _source(image: ImagePart) -> dict[str, Any]:
    return {"type": "base64", "media_type": image.media_type, "data": base64.b64encode(image.data).decode()}
