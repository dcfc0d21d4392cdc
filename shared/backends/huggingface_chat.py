"""Hugging Face's inference providers, by `huggingface_hub`'s own client and the Hub's router."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Final

from shared.backends.endpoints import PROVIDERS, Profile
from shared.backends.hosted import completions
from shared.backends.hosted.account import Account, provider_account
from shared.backends.hosted.model import Call, HostedBackend, Piece
from shared.errors import KeyRefused

if TYPE_CHECKING:
    import httpx2

    from shared.catalog import Variant
    from shared.settings import Settings

AUTO: Final = "auto"  # the router chooses, by the person's order in their Hub settings


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

        token = call.account.reveal()
        if not token.startswith("hf_"):  # the client would only say that it can't choose a route
            raise KeyRefused(call.account.name, call.account.endpoint.env_var)
        provider = str(call.variant.options.get("provider", AUTO))
        client = AsyncInferenceClient(provider=AUTO, api_key=token)
        client._async_client = _aimed(call)  # it has no argument for one, and its own would follow redirects
        # The router takes the provider after a colon; asking the Hub for it would be another call.
        model = call.variant.repo_id if provider == AUTO else f"{call.variant.repo_id}:{provider}"
        async with client:
            chunks = await client.chat_completion(model=model, **completions.arguments(call))
            yield Piece(facts=_facts(provider))
            async for chunk in chunks:
                for piece in completions.pieces(chunk, call.account.name):
                    yield piece


def _aimed(call: Call) -> httpx2.AsyncClient:
    """The run's client, calling the account's address: given one, Hugging Face's client takes it for an older
    kind of server and rewrites a JSON schema into that one's form."""
    import httpx2

    url = httpx2.URL(f"{call.account.root}/chat/completions")

    async def aim(request: httpx2.Request) -> None:
        request.url = url
        request.headers["Host"] = url.netloc.decode("ascii")

    hooks = call.http.event_hooks
    call.http.event_hooks = {**hooks, "request": [*hooks["request"], aim]}
    return call.http


def _facts(provider: str) -> dict[str, Any]:
    """The price list has a part for each provider behind the router; which one `auto` took is not told."""
    if provider == AUTO:
        return {"inference_provider": AUTO}
    return {"inference_provider": provider, "priced_as": f"huggingface_{provider}"}
