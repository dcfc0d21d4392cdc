"""The pages for who keeps the server: `/healthz` (it is alive) and `/readyz` (it can serve, or why it can't)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any

from shared.operation.readiness import Check, Readiness
from shared.ui.web import SAFE, App, Message, Receive, Send

Answer = tuple[int, bytes, bytes]  # status, media type, body
Page = Callable[[], Awaitable[Answer]]
_NAME = "playground_checks"  # of a page's attribute: whoever serves a page knows nothing of it but that


def add_check(demo: Any, check: Check) -> None:
    """Have the server that serves this page look at that before it says that it is ready."""
    setattr(demo, _NAME, [*getattr(demo, _NAME, []), check])


def checks_of(demos: Iterable[Any]) -> list[Check]:
    """What these pages want to be looked at."""
    return [check for demo in demos for check in getattr(demo, _NAME, [])]


class Operation:
    """ASGI middleware: answers these pages itself, before any Space, and passes everything else on."""

    def __init__(self, app: App, readiness: Readiness) -> None:
        self._app, self._readiness = app, readiness
        self._pages: Mapping[str, Page] = {"/healthz": _alive, "/readyz": self._ready}

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer, or pass the call on."""
        page = self._pages.get(scope.get("path", "")) if scope["type"] == "http" else None
        if page is None or scope["method"] not in {"GET", "HEAD"}:
            await self._app(scope, receive, send)
            return
        await _send(await page(), scope["method"] == "HEAD", send)

    async def _ready(self) -> Answer:
        import anyio.to_thread

        reasons = await anyio.to_thread.run_sync(self._readiness.reasons)  # they look at disks and databases
        body = json.dumps({"ready": not reasons, "reasons": reasons})
        return (503 if reasons else 200), b"application/json", body.encode()


async def _alive() -> Answer:
    return 200, b"text/plain; charset=utf-8", b"ok\n"


async def _send(answer: Answer, head: bool, send: Send) -> None:
    status, kind, body = answer
    headers = {
        b"content-type": kind,
        b"content-length": str(len(body)).encode(),
        b"cache-control": b"no-store",
        **SAFE,
    }
    start: Message = {"type": "http.response.start", "status": status, "headers": [*headers.items()]}
    await send(start)
    await send({"type": "http.response.body", "body": b"" if head else body})
