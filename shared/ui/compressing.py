"""How a body is sent smaller: brotli where the browser takes it, gzip elsewhere.

Browsers take brotli over https and from their own machine only: a class that opens a plain http address takes gzip.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from functools import lru_cache
from typing import Any

PREFERRED = ("br", "gzip")


def encoding_for(scope: MutableMapping[str, Any]) -> str:
    """The best of `PREFERRED` that the request takes; "" where it takes none, or wants a part only."""
    asked = {name.lower(): value for name, value in scope["headers"]}
    return "" if b"range" in asked else _best(asked.get(b"accept-encoding", b""))


@lru_cache(maxsize=64)
def _best(asked: bytes) -> str:
    takes = set()
    for each in asked[:400].decode("latin-1").lower().split(","):
        name, _, quality = each.partition(";")
        if quality.replace(" ", "").rstrip("0") not in {"q=", "q=0."}:
            takes.add(name.strip())
    return next((name for name in PREFERRED if name in takes), "")


async def compressed(body: bytes, encoding: str) -> bytes:
    """The body in that encoding; as it is for ""."""
    import anyio.to_thread

    # In a thread: several are asked for at once, and the server goes on answering meanwhile.
    return await anyio.to_thread.run_sync(_squeezed, body, encoding) if encoding else body


@lru_cache(maxsize=32)
def _squeezed(body: bytes, encoding: str) -> bytes:
    """A Space's page is the same for all who open it: it is compressed for the first of them."""
    if encoding == "gzip":
        import gzip

        return gzip.compress(body, 6, mtime=0)
    import brotli

    squeezed: bytes = brotli.compress(body, quality=5)
    return squeezed
