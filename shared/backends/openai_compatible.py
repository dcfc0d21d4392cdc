"""Servers that speak OpenAI's Chat Completions: rows of `endpoints.toml`, or a URL that a person gave."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from shared.backends.endpoints import ENDPOINTS, Profile
from shared.backends.hosted import completions
from shared.backends.hosted.account import Account, endpoint_account, row_of
from shared.backends.hosted.model import Call, HostedBackend, Piece
from shared.backends.hosted.openai_client import openai_client

if TYPE_CHECKING:
    from shared.catalog import Variant
    from shared.settings import Settings


class OpenAICompatible(HostedBackend):
    """`variant.options`: `endpoint` (a row's name), or `base_url` (a visitor's own server)."""

    package = distribution = "openai"

    def account(self, variant: Variant, settings: Settings) -> Account:
        """The row's account; for a visitor's own URL only the key typed for it in that session."""
        return endpoint_account(variant, settings)

    def profile(self, variant: Variant) -> Profile:
        """What the row says of the model."""
        return row_of(variant, ENDPOINTS).profile(variant.repo_id)

    async def stream(self, call: Call) -> AsyncIterator[Piece]:
        """Chat Completions as a stream."""
        client = openai_client(call.account, call.http)
        async with await client.chat.completions.create(
            model=call.variant.repo_id, **completions.arguments(call)
        ) as chunks:
            async for chunk in chunks:
                for piece in completions.pieces(chunk, call.account.name):
                    yield piece
