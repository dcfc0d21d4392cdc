"""Runs an async SDK's coroutine in this worker thread, so that Stop breaks it off wherever it waits."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from shared.errors import Cancelled

if TYPE_CHECKING:
    from shared.streaming import Emit

T = TypeVar("T")
CLEANUP = 0.5  # seconds that closing connections may take after the run ended or was stopped


def run_async(make: Callable[[], Coroutine[Any, Any, T]], emit: Emit) -> T:
    """Run `make()` to its end in an event loop of its own. Raises `Cancelled` when the run is stopped.

    A name lookup runs in a thread that can't be stopped; it is left behind rather than waited for.
    """
    loop = asyncio.new_event_loop()
    lookups = ThreadPoolExecutor(max_workers=2, thread_name_prefix="lookup")
    loop.set_default_executor(lookups)
    try:
        emit.check()
        task = loop.create_task(make())
        with emit.cancel.on_cancel(lambda: loop.call_soon_threadsafe(task.cancel) and None):
            try:
                return loop.run_until_complete(task)
            except asyncio.CancelledError:
                raise Cancelled from None
    finally:
        _close(loop)
        lookups.shutdown(wait=False, cancel_futures=True)


def _close(loop: asyncio.AbstractEventLoop) -> None:
    leftover = asyncio.all_tasks(loop)
    for task in leftover:
        task.cancel()
    with contextlib.suppress(Exception, asyncio.CancelledError):
        loop.run_until_complete(asyncio.wait_for(_settle(loop, leftover), CLEANUP))
    loop.close()


async def _settle(loop: asyncio.AbstractEventLoop, leftover: set[asyncio.Task[Any]]) -> None:
    await asyncio.gather(*leftover, return_exceptions=True)
    await loop.shutdown_asyncgens()
