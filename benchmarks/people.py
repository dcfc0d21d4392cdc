"""People as plain sockets: a client of some comfort takes longer to ask for a file than the server to give it."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import Iterable

PEOPLE, FILES_AT_ONCE = 200, 6


class Person:
    """Somebody's browser, as far as loading goes: a few connections that are kept open. `encoding`: what it takes."""

    def __init__(self, port: int, cookie: str = "", encoding: str = "gzip, br") -> None:
        self._port, self._cookie, self._encoding = port, cookie, encoding

    async def open_page(self, files: list[str]) -> float:
        """Seconds to the page and all of its files."""
        begun = time.perf_counter()
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        await self._get(reader, writer, "/")
        left = iter(files)

        async def some(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for file in left:
                await self._get(reader, writer, file)
            writer.close()

        others = [await asyncio.open_connection("127.0.0.1", self._port) for _ in range(FILES_AT_ONCE - 1)]
        await asyncio.gather(*(some(*pair) for pair in [(reader, writer), *others]))
        return time.perf_counter() - begun

    async def _get(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> bytes:
        writer.write(request(path, self._cookie, self._encoding))
        head, body = await read(reader)
        if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 404")):
            raise RuntimeError(f"{path}: {head[:60]!r}")
        return body


def request(path: str, cookie: str = "", encoding: str = "gzip, br", body: bytes = b"") -> bytes:
    """A request as it is sent; with a body one in JSON."""
    lines = [f"{'POST' if body else 'GET'} {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: text/html,*/*"]
    lines += [f"Accept-Encoding: {encoding}", *([f"Cookie: {cookie}"] if cookie else [])]
    lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"] if body else []
    return "\r\n".join([*lines, "", ""]).encode() + body


async def read(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """An answer's head and body."""
    head = await reader.readuntil(b"\r\n\r\n")
    if length := re.search(rb"content-length: (\d+)", head, re.IGNORECASE):
        return head, await reader.readexactly(int(length[1]))
    body = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readexactly(2)
    return head, body


def failed(took: Iterable[object]) -> dict[str, int]:
    """Each kind of error with its number."""
    return dict(Counter(f"{type(each).__name__}: {each}"[:80] for each in took if isinstance(each, BaseException)))
