"""A server that a proxy shows under a path of its own, whether the proxy takes that path away before it asks or not."""

from __future__ import annotations

from typing import Any

from starlette.middleware import Middleware

from shared.settings import Settings
from shared.ui.web import App, Receive, Scope, Send


class Stripped:
    """ASGI middleware: whatever stands behind it sees paths as they are where the server is reached directly."""

    def __init__(self, app: App, path: str) -> None:
        self._app, self._path = app, path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on."""
        asked = str(scope.get("path", ""))
        if asked == self._path or asked.startswith(f"{self._path}/"):
            scope = {**scope, "path": asked.removeprefix(self._path) or "/"}
        await self._app(scope, receive, send)


class Rooted:
    """ASGI middleware: Gradio, which it stands before, is told the path, and names addresses that begin with it."""

    def __init__(self, app: App, path: str) -> None:
        self._app, self._path = app, path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on."""
        if scope["type"] in {"http", "websocket"}:
            scope = {**scope, "root_path": self._path, "path": f"{self._path}{scope['path']}"}
        await self._app(scope, receive, send)


def outermost(settings: Settings) -> list[Middleware]:
    """What stands before everything else; nothing where the server is at the root of its address."""
    return _one(Stripped, settings)


def innermost(settings: Settings) -> list[Middleware]:
    """What stands right before several Gradio applications; a single one reads the setting by itself."""
    return _one(Rooted, settings)


def _one(kind: Any, settings: Settings) -> list[Middleware]:
    return [Middleware(kind, path=settings.root_path)] if settings.root_path else []
