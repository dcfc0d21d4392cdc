"""Google's Gemini API by `google-genai`, with thoughts included."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from shared.backends.base import Usage
from shared.backends.endpoints import PROVIDERS, Profile
from shared.backends.hosted.account import Account, provider_account
from shared.backends.hosted.http import tls
from shared.backends.hosted.model import Call, HostedBackend, Piece
from shared.errors import ContentFiltered
from shared.events import Alternative, Partial, Token
from shared.outputs import FinishReason
from shared.requests import ChatRequest, Message

if TYPE_CHECKING:
    import httpx2
    from google import genai

    from shared.catalog import Variant
    from shared.settings import Settings

# our name -> that of GenerateContentConfig
_SETTINGS = {
    "system": "system_instruction",
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "max_tokens": "max_output_tokens",
    "seed": "seed",
    "top_logprobs": "logprobs",
}
_THINKING = {"level": "thinking_level", "budget": "thinking_budget"}
_FINISH: Mapping[str, FinishReason] = {"MAX_TOKENS": "length", "CONTINUATION": "length"}
_FILTERED = frozenset(
    {"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "LANGUAGE", "ESCALATION", "MODEL_ARMOR"}
)
_MOST_SEED = 2**31  # the API's seeds are signed 32-bit numbers


class GoogleChat(HostedBackend):
    """Models of the Gemini API by their own names in `variant.repo_id`."""

    package, distribution = "google.genai", "google-genai"

    def account(self, variant: Variant, settings: Settings) -> Account:
        """Raises `MissingCredentials` without a key."""
        return provider_account("google", settings)

    def profile(self, variant: Variant) -> Profile:
        """What `providers.toml` says of the model."""
        return PROVIDERS["google"].profile(variant.repo_id)

    async def stream(self, call: Call) -> AsyncIterator[Piece]:
        """`generateContent` as a stream."""
        client = google_client(call.account, call.http)
        config, contents = _config(call), [_content(m) for m in call.request.messages]
        chunks = await client.aio.models.generate_content_stream(
            model=call.variant.repo_id, contents=contents, config=config
        )
        async for chunk in chunks:
            for piece in _pieces(chunk, call.account.name):
                yield piece


def google_client(account: Account, http: httpx2.AsyncClient) -> genai.Client:
    """Google's client, set to use nothing from the environment and to retry nothing."""
    import httpx2
    from google import genai
    from google.genai import types

    options = types.HttpOptions(
        base_url=account.base_url,
        api_version="v1beta",
        httpx_async_client=http,
        # Never called; without one it makes its own, and reads all certificates again for it.
        httpx_client=httpx2.Client(verify=tls()),
        async_client_args={"ssl": tls()},
        retry_options=types.HttpRetryOptions(attempts=1),  # interactions are tried five times otherwise, and paid
    )
    return genai.Client(vertexai=False, api_key=account.reveal(), http_options=options)


def _config(call: Call) -> Any:
    from google.genai import types

    request = call.request
    given = {theirs: getattr(request, ours) for ours, theirs in _SETTINGS.items()}
    given = {name: value for name, value in given.items() if value is not None}
    if "seed" in given:
        given["seed"] %= _MOST_SEED
    if "logprobs" in given:
        given["response_logprobs"] = True
    if request.stop:
        given["stop_sequences"] = list(request.stop)
    if call.profile.thinking:
        asked = {} if call.effort is None else {_THINKING[call.profile.thinking]: call.effort}
        given["thinking_config"] = {"include_thoughts": True, **asked}
    return types.GenerateContentConfig(**given, **_format(request))


def _format(request: ChatRequest) -> dict[str, Any]:
    if request.response_format is None:
        return {}
    schema = request.response_format.get("json_schema", {}).get("schema")
    return {"response_mime_type": "application/json", "response_json_schema": schema}


def _content(message: Message) -> Any:
    from google.genai import types

    parts = [types.Part.from_bytes(data=i.data, mime_type=i.media_type) for i in message.images]
    if message.content:
        parts.append(types.Part.from_text(text=message.content))
    return types.Content(role="model" if message.role == "assistant" else "user", parts=parts)


def _pieces(chunk: Any, provider: str) -> Iterator[Piece]:
    if chunk.usage_metadata:
        yield Piece(usage=usage(chunk.usage_metadata))
    if chunk.model_version:
        yield Piece(facts={"served_model": chunk.model_version, "request_id": chunk.response_id})
    blocked = chunk.prompt_feedback and chunk.prompt_feedback.block_reason
    if blocked:
        raise ContentFiltered(provider, f"It names the reason “{blocked.value}”.")
    for candidate in (chunk.candidates or [])[:1]:
        yield from _candidate(candidate, provider)


def _candidate(candidate: Any, provider: str) -> Iterator[Piece]:
    parts = (candidate.content and candidate.content.parts) or []
    text = "".join(p.text or "" for p in parts if not p.thought)
    thinking = "".join(p.text or "" for p in parts if p.thought)
    tokens = _tokens(candidate.logprobs_result)
    if text or thinking or tokens:
        yield Piece(partial=Partial(text, thinking, tokens))
    reason = candidate.finish_reason and candidate.finish_reason.value
    if reason in _FILTERED:
        raise ContentFiltered(provider, f"It names the reason “{reason}”.")
    if reason:
        yield Piece(finish=_FINISH.get(reason, "stop"))


def _tokens(result: Any) -> tuple[Token, ...]:
    chosen = (result and result.chosen_candidates) or []
    others: list[Any] = (result and result.top_candidates) or []
    rows = [others[i].candidates or [] if i < len(others) else [] for i in range(len(chosen))]
    return tuple(
        Token(
            token.token or "",
            token.log_probability or 0.0,
            tuple(Alternative(o.token or "", o.log_probability or 0.0) for o in row),
        )
        for token, row in zip(chosen, rows, strict=True)
    )


def usage(counted: Any) -> Usage:
    """Google counts thoughts apart from the answer; both are output and paid for as such."""
    thoughts, answer = counted.thoughts_token_count, counted.candidates_token_count
    return Usage(
        input_tokens=counted.prompt_token_count,
        output_tokens=None if answer is None and thoughts is None else (answer or 0) + (thoughts or 0),
        cached_tokens=counted.cached_content_token_count,
        reasoning_tokens=thoughts,
    )
