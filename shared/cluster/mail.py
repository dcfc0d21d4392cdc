"""Messages on their way from a thread to an event loop, several at once where they come faster than they are wanted."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress

from shared.cluster.messages import End, Message
from shared.events import Piece


class Mail:
    """Made on the loop. That is woken as seldom as can be: each waking takes the interpreter from the thread."""

    def __init__(self) -> None:
        self._loop, self._messages = asyncio.get_running_loop(), deque[Message]()
        self._some, self._urgent, self.closed = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._rung = self._began = False

    def put(self, message: Message) -> None:
        """Add a message. Called from the thread."""
        begins = not self._began and isinstance(message, Piece)
        self._began = self._began or begins
        self._messages.append(message)
        if begins or isinstance(message, End):
            self._loop.call_soon_threadsafe(self._ring, self._urgent)
        elif not self._rung:
            self._rung = True
            self._loop.call_soon_threadsafe(self._ring)

    def close(self) -> None:
        """No more will come. Called from the thread."""
        self._loop.call_soon_threadsafe(self.closed.set)

    def _ring(self, also: asyncio.Event | None = None) -> None:
        self._some.set()
        if also is not None:
            also.set()

    async def next(self) -> tuple[Message, ...]:
        """All that has come, at least one; waits for it."""
        while True:
            await self._some.wait()
            self._some.clear()
            self._urgent.clear()
            self._rung = False  # before the look: what comes meanwhile rings again
            if batch := tuple(self._messages.popleft() for _ in range(len(self._messages))):
                return batch

    async def hold(self, seconds: float) -> None:
        """Let that much time pass, unless there is something that shouldn't wait."""
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._urgent.wait(), seconds)
