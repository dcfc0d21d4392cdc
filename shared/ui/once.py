"""Work that many ask for at the same moment, done once for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Once(Generic[Result]):
    """Whoever asks while somebody's work of the same key goes on waits for that. For one event loop."""

    def __init__(self) -> None:
        self._going: dict[Hashable, asyncio.Future[Result]] = {}

    async def of(self, key: Hashable, work: Callable[[], Awaitable[Result]]) -> Result:
        """What the work returns; what it raises, all who wait for it get.

        It goes on when who began it leaves: the others still wait.
        """
        going = self._going.get(key)
        if going is None:
            going = self._going[key] = asyncio.ensure_future(work())
            going.add_done_callback(lambda _: self._going.pop(key, None))
        return await asyncio.shield(going)
