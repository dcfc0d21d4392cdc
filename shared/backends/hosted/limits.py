"""Keeps an answer that is too large from filling the memory: it is measured as it comes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from shared.errors import ProviderError

if TYPE_CHECKING:
    import httpx2

MIB = 2**20
MAX_REPLY = 128 * MIB  # bytes: a picture of 3840 x 2160 pixels with three previews, in base64, is near 100 MiB


def within(response: httpx2.Response, most: int, provider: str) -> None:
    """Let no more than `most` bytes of the answer's body be read. Raises `ProviderError`, now or while it is read."""
    import httpx2

    if response.headers.get("content-encoding", "identity").lower() not in {"", "identity"}:
        raise ProviderError(provider, f"{provider} packed its answer though it was asked not to, so it wasn't read.")
    declared = response.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > most:
        raise _too_large(provider, most)
    assert isinstance(response.stream, httpx2.AsyncByteStream)
    stream = response.stream

    class Measured(httpx2.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            left = most
            async for chunk in stream:
                left -= len(chunk)
                if left < 0:
                    raise _too_large(provider, most)
                yield chunk

        async def aclose(self) -> None:
            await stream.aclose()

    response.stream = Measured()


def _too_large(provider: str, most: int) -> ProviderError:
    return ProviderError(
        provider,
        f"{provider} sent more than {most // MIB} MiB, which is no answer of the kind expected. "
        "Ask for less, or for something smaller, or choose another engine.",
    )
