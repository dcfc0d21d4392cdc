"""What is done to every response: headers that keep a page safe, and assets that are sent once."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from typing import Any

from shared.ui.compressing import compressed, encoding_for
from shared.ui.once import Once

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

# Model output is Markdown: a picture or a style in it could carry what was said to another server, so the browser
# fetches none. Scripts are left to Gradio, whose own page needs them in line.
POLICY = "; ".join(
    [
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "font-src 'self' data: blob:",
        "style-src 'self' 'unsafe-inline' data: blob:",
        "object-src 'none'",
        "base-uri 'self'",
    ]
)
SAFE = {
    b"content-security-policy": POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
}
FOREVER = b"public, max-age=31536000, immutable"
# Gradio's own built files, whose names hold a hash of what is in them.
_HASHED = re.compile(r"/assets/[\w.-]+-[\w-]{8,9}\.(?:js|css|woff2?|ttf|svg|png|wasm)$")
_TEXT = (".js", ".css", ".svg")
_ROOM = 64 * 1024 * 1024  # bytes of compressed assets kept; all of Gradio's together take less


class Kept:
    """Compressed assets as whole answers, by the end of their path: Gradio's are the same in every Space."""

    def __init__(self, room: int = _ROOM) -> None:
        self._room, self._bytes = room, 0
        self._answers: dict[tuple[str, str], tuple[Message, Message]] = {}

    def add(self, name: str, body: bytes, encoding: str) -> None:
        """Keep one, compressed; all others go where there is no room."""
        self._bytes += len(body)
        if self._bytes > self._room:
            self._answers.clear()
            self._bytes = len(body)
        self._answers[name, encoding] = _asset_answer(name, body, encoding)

    def get(self, scope: Scope) -> tuple[Message, Message] | None:
        """The answer to that call, where it asks for one that is kept and takes it compressed."""
        place = scope["path"].rfind("/assets/")
        if place < 0 or scope["method"] != "GET":
            return None
        return self._answers.get((scope["path"][place:], encoding_for(scope)))


KEPT = Kept()


class Assets:
    """ASGI: answers what is kept before anything else looks at the call; a page asks for a hundred files at once.

    Of many who ask for one that isn't kept yet the first alone goes through all that lies behind: a class that comes
    to a server just started would send twenty thousand calls through it.
    """

    def __init__(self, app: App, kept: Kept = KEPT) -> None:
        self._app, self._kept = app, kept
        self._once: Once[None] = Once()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass the call on."""
        found = self._kept.get(scope) if scope["type"] == "http" else None
        if found is None and scope["type"] == "http" and scope["method"] == "GET" and _may_be_kept(scope):
            # By its whole path: that one Space has no such file says nothing of another.
            await self._once.of((scope["path"], encoding_for(scope)), partial(self._keep, scope))
            found = self._kept.get(scope)
        if found is None:
            await self._app(scope, receive, send)
            return
        for message in found:
            await send(message)

    async def _keep(self, scope: Scope) -> None:
        async def unheard(_: Message) -> None:
            pass

        await self._app({**scope}, nobody(), unheard)  # its own: routes write into it


class SafeResponses:
    """ASGI middleware: `SAFE` headers on every response; hashed assets cached by browsers, and compressed once.

    Without it each first visit compresses megabytes anew, and every later one asks for each file again.
    """

    def __init__(self, app: App, kept: Kept = KEPT) -> None:
        self._app, self._kept = app, kept

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from the kept assets, or pass the call on and add to its response."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asset = _HASHED.search(scope["path"]) if scope["method"] in {"GET", "HEAD"} else None
        encoding = encoding_for(scope)
        if asset is None:
            sender = _Pages(send, encoding) if encoding and scope["method"] == "GET" else send
            await self._app(scope, receive, _with_headers(sender, SAFE))
        elif (found := self._kept.get(scope)) is not None:
            for message in found:
                await send(message)
        elif _may_be_kept(scope):
            await self._asset(asset[0], encoding, scope, receive, send)
        else:
            await self._app(scope, receive, _with_headers(send, SAFE | {b"cache-control": FOREVER}))

    async def _asset(self, name: str, encoding: str, scope: Scope, receive: Receive, send: Send) -> None:
        status, _, body = await whole(self._app, scope, nobody())
        if status != 200:
            await self._app(scope, receive, _with_headers(send, SAFE))
            return
        small = await compressed(body, encoding)
        self._kept.add(name, small, encoding)
        start, rest = _asset_answer(name, small, encoding)
        await send(start)
        await send(rest if scope["method"] == "GET" else {**rest, "body": b""})


class _Pages:
    """A sender that compresses HTML pages, which Gradio leaves as they are: 126 kB for a Space's screen."""

    def __init__(self, send: Send, encoding: str) -> None:
        self._send, self._encoding = send, encoding
        self._held: Message | None = None

    async def __call__(self, message: Message) -> None:
        """Hold a page's head until its body is there; everything else goes straight on."""
        if message["type"] == "http.response.start" and _is_page(message):
            self._held = message
            return
        if self._held is not None and message["type"] == "http.response.body":
            start, self._held = self._held, None
            if not message.get("more_body", False):
                message = {**message, "body": await compressed(message.get("body", b""), self._encoding)}
                headers = _as_encoded(start["headers"], len(message["body"]), self._encoding)
                start = {**start, "headers": headers}
            await self._send(start)
        await self._send(message)


def _may_be_kept(scope: Scope) -> bool:
    return bool(encoding_for(scope)) and scope["path"].endswith(_TEXT) and _HASHED.search(scope["path"]) is not None


def _is_page(start: Message) -> bool:
    headers = {name.lower(): value for name, value in start.get("headers", [])}
    return headers.get(b"content-type", b"").startswith(b"text/html") and b"content-encoding" not in headers


def _as_encoded(headers: Headers, length: int, encoding: str) -> Headers:
    others = [(name, value) for name, value in headers if name.lower() not in {b"content-length", b"vary"}]
    about = {
        b"content-encoding": encoding.encode(),
        b"content-length": str(length).encode(),
        b"vary": b"Accept-Encoding",
    }
    return [*others, *about.items()]


def _with_headers(send: Send, headers: dict[bytes, bytes]) -> Send:
    async def send_with(message: Message) -> None:
        if message["type"] == "http.response.start":
            good = message["status"] in {200, 206, 304}
            wanted = {k: v for k, v in headers.items() if good or k != b"cache-control"}
            others = [(k, v) for k, v in message.get("headers", []) if k.lower() not in wanted]
            message = {**message, "headers": [*others, *wanted.items()]}
        await send(message)

    return send_with


async def whole(app: App, scope: Scope, receive: Receive) -> tuple[int, Headers, bytes]:
    """The app's response to a plain GET: its status, its headers, and its body uncompressed."""
    conditional = {b"accept-encoding", b"if-none-match", b"if-modified-since"}
    asked = [(name, value) for name, value in scope["headers"] if name.lower() not in conditional]
    status, parts = 0, []
    headers: Headers = []

    async def collect(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
            headers.extend(message.get("headers", []))
        parts.append(message.get("body", b""))

    await app({**scope, "method": "GET", "headers": asked}, receive, collect)
    return status, headers, b"".join(parts)


def nobody() -> Receive:
    """What the app hears of an answer that is made for many: an empty request, and nobody who leaves."""
    told = False

    async def receive() -> Message:
        nonlocal told
        if told:
            await asyncio.Event().wait()
        told = True
        return {"type": "http.request", "body": b"", "more_body": False}

    return receive


def _asset_answer(name: str, body: bytes, encoding: str) -> tuple[Message, Message]:
    kinds = {".js": b"text/javascript", ".css": b"text/css", ".svg": b"image/svg+xml"}
    headers = {
        b"content-type": kinds[name[name.rindex(".") :]] + b"; charset=utf-8",
        b"content-encoding": encoding.encode(),
        b"content-length": str(len(body)).encode(),
        b"vary": b"Accept-Encoding",
        b"cache-control": FOREVER,
    }
    start = {"type": "http.response.start", "status": 200, "headers": [*(headers | SAFE).items()]}
    return start, {"type": "http.response.body", "body": body}
