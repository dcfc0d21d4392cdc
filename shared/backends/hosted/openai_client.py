"""OpenAI's client, set to use nothing from the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.backends.hosted.account import Account

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI


def openai_client(account: Account, http: httpx2.AsyncClient) -> AsyncOpenAI:
    """A client for that account. Its retries are off: `shared/retries.py` does them."""
    from openai import AsyncOpenAI

    client = AsyncOpenAI(api_key=account.reveal(), base_url=account.base_url, max_retries=0, http_client=http)
    # The deployer's organisation and the like are no business of another key or another server.
    client.organization = client.project = client.admin_api_key = None
    drop_environment_headers(client)
    return client


def drop_environment_headers(client: Any) -> None:
    """OpenAI's and Anthropic's clients read extra headers from the environment; they offer no other way out."""
    client._custom_headers = {}
