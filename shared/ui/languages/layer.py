"""ASGI: tells the pages behind it which language is asked for, and the browser which one it got."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from shared.languages import COOKIE, LANGUAGES, Language, asked_language
from shared.languages.tongue import tongue
from shared.ui.languages.menu import menu
from shared.ui.languages.page_texts import ASKED
from shared.ui.languages.scripts import script_texts
from shared.ui.web import App, Message, Receive, Send

_HTML = re.compile(rb"<html(\s[^>]*?)\slang=\"en\"|<html\s+lang=\"en\"")
_SCRIPT = Path(__file__).with_name("head.js")
# Paths that programs ask, and no page.
_FOR_PROGRAMS = ("/gradio_api/", "/mcp", "/metrics", "/healthz", "/readyz")
_MOST = 8 * 1024 * 1024  # bytes of a page; a Space's is a tenth of it


class Speaking:
    """ASGI middleware, as near to Gradio as can be: what stands before it may keep its pages, by language."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Have the call answered in the language that it asks for."""
        if scope["type"] != "http" or any(part in scope["path"] for part in _FOR_PROGRAMS):
            await self._app(scope, receive, send)
            return
        code = asked_language(scope)
        token = ASKED.set(code)
        try:
            await self._app(scope, receive, _Named(send, LANGUAGES[code]))
        finally:
            ASKED.reset(token)


class _Named:
    """A sender that says in a page's first tag which language it is in, and tells its scripts."""

    def __init__(self, send: Send, language: Language) -> None:
        self._send, self._language = send, language
        self._start: Message | None = None
        self._parts: list[bytes] = []

    async def __call__(self, message: Message) -> None:
        """Hold an HTML page until it is whole; everything else goes straight on."""
        if message["type"] == "http.response.start" and _is_page(message):
            self._start = message
        elif self._start is not None and message["type"] == "http.response.body":
            self._parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                body = named(b"".join(self._parts), self._language)
                about = [(n, v) for n, v in self._start["headers"] if n.lower() != b"content-length"]
                headers = [*about, (b"content-length", str(len(body)).encode()), (b"vary", b"Accept-Language, Cookie")]
                await self._send({**self._start, "headers": headers})
                await self._send({**message, "body": body})
        else:
            await self._send(message)


def named(page: bytes, language: Language, *, scripts: bool = True) -> bytes:
    """The page with its language and its direction, and with what its scripts say in that language if it has any."""
    opened = f'<html lang="{language.locale}" dir="{language.direction}" data-language="{language.code}"'.encode()
    page = _HTML.sub(opened, page, count=1)
    return page.replace(b"<head>", b"<head>" + head(language), 1) if scripts else page


@lru_cache(maxsize=64)
def own_page(page: str, code: str) -> bytes:
    """One of our own pages in that language."""
    chosen = menu().replace(f'value="{code}"', f'value="{code}" selected')
    place = "</header>" if "</header>" in page else "</form>"
    said = tongue(code).html(page.replace(place, chosen + place, 1))
    return named(said.encode(), LANGUAGES[code])


@lru_cache(maxsize=len(LANGUAGES))
def head(language: Language) -> bytes:
    """The script that stands first in a page's head."""
    spoken = tongue(language.code)
    texts = {text: spoken.text(text) for text in script_texts() if spoken.text(text) != text}
    told = {"code": language.code, "locale": language.locale, "cookie": COOKIE, "texts": texts}
    as_text = json.dumps(told, ensure_ascii=False).replace("<", "\\u003c")
    script = _SCRIPT.read_text(encoding="utf-8").replace("TOLD", as_text)
    return f"<script>{script}</script>".encode()


def _is_page(start: Message) -> bool:
    headers = {name.lower(): value for name, value in start.get("headers", [])}
    return headers.get(b"content-type", b"").startswith(b"text/html") and b"content-encoding" not in headers
