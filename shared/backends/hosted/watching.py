"""Waits for an answer and looks in between how far it is: for servers that tell it only when they are asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

EVERY = 0.5  # seconds between two looks
GOODBYE = 0.4  # seconds at most for telling a server to stop

T = TypeVar("T")
L = TypeVar("L")


async def watched(
    asked: Coroutine[Any, Any, T], look: Callable[[], Awaitable[L | None]], stop: Callable[[], Awaitable[object]]
) -> AsyncIterator[L | T]:
    """What `look` tells while the answer is waited for, and then the answer.

    A look that fails is left out. When the waiting is given up, the connection is closed and `stop` called.
    """
    answer = asyncio.ensure_future(asked)
    try:
        while not (await asyncio.wait({answer}, timeout=EVERY))[0]:
            if (told := await _quietly(look)) is not None:
                yield told
        yield answer.result()
    finally:
        if not answer.done():
            answer.cancel()
            await give_up(stop)


async def give_up(stop: Callable[[], Awaitable[object]]) -> None:
    """Tell the server, but don't wait for long: a person waits for the end."""
    with suppress(TimeoutError):
        async with asyncio.timeout(GOODBYE):
            await _quietly(stop)


async def _quietly(ask: Callable[[], Awaitable[T]]) -> T | None:
    with suppress(Exception):
        return await ask()
    return None
