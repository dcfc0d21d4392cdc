"""Connections on which nobody says what they want: each takes a file of the process, and a thousand opened by one
person would leave none for anybody else. uvicorn waits for ever for the head of a first request."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

HEAD = 30.0  # seconds for the head of a connection's first request to come; a slow phone takes two
FILES = 65_536  # open at once, where the system lets the process have as many


def impatient(config: Any, seconds: float = HEAD) -> None:
    """Have a server of that uvicorn configuration close such connections; also one that runs, for those to come."""
    if not config.loaded:
        config.load()
    kind: Any = config.http_protocol_class

    class Impatient(kind):  # type: ignore[misc]
        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            self._silence = asyncio.get_running_loop().call_later(seconds, self._close_if_silent)

        def connection_lost(self, exc: Exception | None) -> None:
            self._silence.cancel()
            super().connection_lost(exc)

        def _close_if_silent(self) -> None:
            if self.cycle is None:  # no head was read to its end
                self.transport.close()

    config.http_protocol_class = Impatient


def many_files() -> None:
    """Let this process have as many files open as the system allows: many systems begin with a thousand, and an open
    page of each of two hundred people takes three to six."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
