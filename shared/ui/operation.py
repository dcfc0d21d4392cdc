"""The pages for who keeps the server: `/healthz` (it lives), `/readyz` (it can serve, or why not), `/metrics`."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any

from shared.operation.metrics import metrics
from shared.operation.readiness import Check, Readiness
from shared.settings import Settings
from shared.ui.web import SAFE, App, Message, Receive, Send

Answer = tuple[int, bytes, bytes]  # status, media type, body
Scope = MutableMapping[str, Any]
Page = Callable[[Scope], Awaitable[Answer]]
_NAME = "playground_checks"  # of a page's attribute: whoever serves a page knows nothing of it but that


def add_check(demo: Any, check: Check) -> None:
    """Have the server that serves this page look at that before it says that it is ready."""
    setattr(demo, _NAME, [*getattr(demo, _NAME, []), check])


def checks_of(demos: Iterable[Any]) -> list[Check]:
    """What these pages want to be looked at."""
    return [check for demo in demos for check in getattr(demo, _NAME, [])]


class Operation:
    """ASGI middleware: answers these pages itself, before any Space, and passes everything else on."""

    def __init__(self, app: App, readiness: Readiness, settings: Settings) -> None:
        self._app, self._readiness, self._settings = app, readiness, settings
        self._pages: Mapping[str, Page] = {"/healthz": _alive, "/readyz": self._ready, "/metrics": self._metrics}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass the call on."""
        page = self._pages.get(scope.get("path", "")) if scope["type"] == "http" else None
        if page is None or scope["method"] not in {"GET", "HEAD"}:
            await self._app(scope, receive, send)
            return
        await _send(await page(scope), scope["method"] == "HEAD", send)

    async def _ready(self, _: Scope) -> Answer:
        import anyio.to_thread

        reasons = await anyio.to_thread.run_sync(self._readiness.reasons)  # they look at disks and databases
        body = json.dumps({"ready": not reasons, "reasons": reasons})
        return (503 if reasons else 200), b"application/json", body.encode()

    async def _metrics(self, scope: Scope) -> Answer:
        """What people do here is their own affair: where others reach the server, it must be asked for."""
        wanted = self._settings.metrics
        if not (wanted or (wanted is None and not self._settings.public and not _through_a_proxy(scope))):
            return 404, b"text/plain; charset=utf-8", b"Metrics are off here. PLAYGROUND_METRICS=1 serves them.\n"
        return 200, b"text/plain; version=0.0.4; charset=utf-8", metrics().text()


def _through_a_proxy(scope: Scope) -> bool:
    """Whether a proxy says that it asks for somebody else: then listening on loopback keeps nobody out."""
    return any(name.lower() in {b"x-forwarded-for", b"forwarded"} for name, _ in scope["headers"])


async def _alive(_: Scope) -> Answer:
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
