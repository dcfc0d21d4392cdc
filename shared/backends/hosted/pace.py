"""Deadlines for a stream: how long to wait for each next event, and for all of them together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TypeVar

from shared.errors import ProviderTimeout
from shared.settings import Settings

T = TypeVar("T")


async def paced(
    events: AsyncIterator[T],
    provider: str,
    settings: Settings,
    each: float | None = None,
    total: float | None = None,
) -> AsyncIterator[T]:
    """The same events. Raises `ProviderTimeout` when it is silent, or goes on, for too long.

    The first event may take `first_output_timeout`, each later one `idle_timeout` (either may take `each` seconds
    where that is given), and all of them `total_timeout` (or `total`).
    """
    now = asyncio.get_running_loop().time
    longest = total or settings.total_timeout
    end = now() + longest
    allowed = each or settings.first_output_timeout
    while True:
        left = end - now()
        patience = min(allowed, left)
        try:
            async with asyncio.timeout(patience):
                event = await anext(events)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise ProviderTimeout(provider, longest if left <= allowed else allowed) from None
        yield event
        allowed = each or settings.idle_timeout
