"""Hugging Face's inference providers, by `huggingface_hub`'s own client and the Hub's router."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from shared.backends.endpoints import PROVIDERS, Profile
from shared.backends.hosted import completions
from shared.backends.hosted.account import Account, provider_account
from shared.backends.hosted.model import Call, HostedBackend, Piece

if TYPE_CHECKING:
    from shared.catalog import Variant
    from shared.settings import Settings

AUTO = "auto"  # the router chooses, by the person's order in their Hub settings


class HuggingFaceChat(HostedBackend):
    """`variant.options["provider"]`: one of the Hub's inference providers, or "auto"."""

    package = distribution = "huggingface_hub"

    def account(self, variant: Variant, settings: Settings) -> Account:
        """Raises `MissingCredentials` without a token."""
        return provider_account("huggingface", settings)

    def profile(self, variant: Variant) -> Profile:
        """What `providers.toml` says of the model."""
        return PROVIDERS["huggingface"].profile(variant.repo_id)

    async def stream(self, call: Call) -> AsyncIterator[Piece]:
        """The router's Chat Completions as a stream."""
        from huggingface_hub import AsyncInferenceClient

        provider = str(call.variant.options.get("provider", AUTO))
        client = AsyncInferenceClient(base_url=call.account.base_url, api_key=call.account.reveal())
        client._async_client = call.http  # it has no argument for one, and its own would follow redirects
        # The router takes the provider after a colon; asking the Hub for it would be another call.
        model = call.variant.repo_id if provider == AUTO else f"{call.variant.repo_id}:{provider}"
        async with client:
            chunks = await client.chat_completion(model=model, **_arguments(call))
            yield Piece(facts=_facts(provider))
            async for chunk in chunks:
                for piece in completions.pieces(chunk, call.account.name):
                    yield piece


def _arguments(call: Call) -> dict[str, Any]:
    """The client rewrites a schema into an older form; in `extra_body` it leaves it as it is."""
    arguments = completions.arguments(call)
    body = arguments.pop("extra_body", {})
    if "response_format" in arguments:
        body["response_format"] = arguments.pop("response_format")
    return arguments | ({"extra_body": body} if body else {})


def _facts(provider: str) -> dict[str, Any]:
    """The price list has a part for each provider behind the router; which one `auto` took is not told."""
    if provider == AUTO:
        return {"inference_provider": AUTO}
    return {"inference_provider": provider, "priced_as": f"huggingface_{provider}"}
