"""Starts one Space: on loopback unless told otherwise, on a free port, with the headers that keep its page safe."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from typing import Any

import gradio as gr

from shared.settings import Settings, from_environment
from shared.ui.theme import CSS, THEME

# Model output is Markdown; a picture in it could carry what was said to another server, so none is fetched.
POLICY = "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; object-src 'none'"
HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]
PORTS_TRIED = 100
LOOK: dict[str, Any] = {"theme": THEME, "css": CSS}


class SafetyHeaders:
    """ASGI middleware that adds `HEADERS` to every response."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass the call on, and add the headers where its response begins."""

        async def send_safely(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", []), *HEADERS]}
            await send(message)

        await self._app(scope, receive, send_safely if scope["type"] == "http" else send)


def free_port(host: str, wanted: int) -> int:
    """The wanted port, or the next that is free, with a message. Raises `OSError` where there is none."""
    for port in range(wanted, wanted + PORTS_TRIED):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
        if port != wanted:
            print(f"Port {wanted} is taken; using {port}.", flush=True)
        return port
    raise OSError(f"No free port from {wanted} to {wanted + PORTS_TRIED - 1}. Give another with --port.")


def serve(demo: gr.Blocks, settings: Settings | None = None, **more: Any) -> None:
    """Serve the Space until Ctrl-C."""
    from starlette.middleware import Middleware

    settings = settings or from_environment()
    on_space = settings.space_id is not None
    host = "0.0.0.0" if on_space else settings.host
    demo.queue(default_concurrency_limit=None, max_size=2000)
    demo.launch(
        server_name=host,
        server_port=settings.port if on_space else free_port(host, settings.port),
        max_threads=250,
        inbrowser=settings.open_browser,
        footer_links=["api", "settings"],
        app_kwargs={"middleware": [Middleware(SafetyHeaders)]},
        ssr_mode=False,
        **LOOK,
        **more,
    )
