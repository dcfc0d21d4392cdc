"""What goes wrong with a job at a provider, and what that means for it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, TypeVar

from shared.backends.hosted.failures import Failed
from shared.backends.hosted.reply import chain, read_reply
from shared.errors import InferenceError, ProviderError

T = TypeVar("T")


def failed(call: Any) -> Failed:
    """The call, for the table of what errors mean."""
    return Failed(call.account, call.variant, False, call.settings.connect_timeout)


def too_long(call: Any) -> InferenceError:
    """It wasn't waited for any longer."""
    return ProviderError(call.name, f"{call.name} took longer than it is waited for here.")


def surely_refused(error: BaseException, known: BaseException) -> bool:
    """Whether the provider can't have taken the job."""
    import httpx2

    for each in chain(error):
        if isinstance(each, httpx2.ConnectError | httpx2.ConnectTimeout):
            return True
        if (reply := read_reply(each)) is not None and reply.status is not None:
            return 300 <= reply.status < 500 or reply.status == 503
    return isinstance(known, InferenceError) and known is error and not getattr(known, "retryable", False)


def told_with(error: InferenceError, words: str) -> InferenceError:
    """The error, with what it means for the job."""
    error.args = (f"{error} {words}",)
    error.retryable = False
    return error


async def surely(work: asyncio.Future[T], seconds: float) -> bool:
    """Whether it came to its end within that time, though what waits for it is being cancelled. Raises its error."""
    now = asyncio.get_running_loop().time
    end = now() + seconds
    while not work.done() and now() < end:
        with suppress(asyncio.CancelledError):
            await asyncio.wait({work}, timeout=end - now())
    if not work.done():
        work.cancel()
        return False
    work.result()
    return True
