"""Runs a coroutine in a short-lived event loop of this thread, so that a stop cancels whatever it waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from shared.errors import Cancelled
from shared.streaming import Emit

T = TypeVar("T")


def run_async(make: Callable[[], Coroutine[Any, Any, T]], emit: Emit) -> T:
    """Run it to its end. Raises `Cancelled` as soon as the run's stop switch is pressed, at any stage."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(_stoppable(make, emit))
    except asyncio.CancelledError:
        raise Cancelled from None
    finally:
        _wind_up(loop)


async def _stoppable(make: Callable[[], Coroutine[Any, Any, T]], emit: Emit) -> T:
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None

    def stop() -> None:
        loop.call_soon_threadsafe(task.cancel)

    with emit.cancel.on_cancel(stop):
        return await make()


def _wind_up(loop: asyncio.AbstractEventLoop) -> None:
    """Close what is open. Not `asyncio.run`: that would wait for a name lookup that hangs in its thread."""
    # The SDKs' nested generators close one another here and may collide; their connection is closed by then, and
    # the traceback that asyncio would print for it tells nobody anything.
    loop.set_exception_handler(lambda _loop, _context: None)
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
