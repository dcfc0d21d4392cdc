"""A page that is the same for all is rendered once for those who come within some seconds.

Gradio copies and renders a page's whole description for each visitor, 15 ms of its one process: three seconds for two
hundred who come at once.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from urllib.parse import parse_qsl

from shared.languages import COOKIE, asked_language
from shared.ui.compressing import compressed, encoding_for
from shared.ui.once import Once
from shared.ui.web import App, Headers, Receive, Scope, Send, nobody, whole

FRESH = 20.0  # seconds for which a page is given out again
MOST = 32  # pages kept: a visitor chooses the name of the host
# All that a page may depend on. Nothing else reaches its rendering, so that nobody's page can hold another's.
_SEEN = (b"host", b"x-forwarded-host", b"x-forwarded-proto", b"x-gradio-server")
# Who sends one of these may be somebody to Gradio, wants a part, or comes from another site.
_OWN = (b"authorization", b"range", b"origin")
_SIGNED_IN = re.compile(rb"access-token|session=")
# What only the page's own scripts, or Hugging Face before it, read of the address.
_SCRIPTS = {"__theme", "__sign"}
_VARY = b"Accept-Encoding, Accept-Language, Cookie"


@dataclass(frozen=True)
class Page:
    """A whole answer. `made`: when, by the server's clock."""

    headers: Headers
    body: bytes
    tag: bytes
    made: float


class KeptPages:
    """ASGI middleware: answers for `paths` from what was rendered a moment ago, and passes everything else on.

    It stands behind whatever decides who may see them, and before whatever says them in a language.
    """

    def __init__(self, app: App, paths: Collection[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._app, self._paths, self._clock = app, frozenset(paths), clock
        self._pages: OrderedDict[tuple[object, ...], Page] = OrderedDict()
        self._once: Once[Page | None] = Once()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass the call on."""
        page = await self._page(scope) if self._is_for_all(scope) else None
        if page is None:
            await self._app(scope, receive, send)
        else:
            await _give(page, scope, send)

    def _is_for_all(self, scope: Scope) -> bool:
        if scope["type"] != "http" or scope["path"] not in self._paths or scope["method"] not in {"GET", "HEAD"}:
            return False
        query = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
        if any(name not in _SCRIPTS for name, _ in query):
            return False
        return not any(
            name in _OWN or (name == b"cookie" and _SIGNED_IN.search(value)) for name, value in scope["headers"]
        )

    async def _page(self, scope: Scope) -> Page | None:
        encoding = encoding_for(scope)
        seen = [(name, value) for name, value in scope["headers"] if name in _SEEN]
        seen.append((b"cookie", f"{COOKIE}={asked_language(scope)}".encode()))
        key = (scope["path"], scope.get("root_path"), scope["scheme"], scope.get("server"), encoding, *seen)
        page = self._pages.get(key)
        if page is not None and self._clock() - page.made < FRESH:
            return page
        return await self._once.of(key, partial(self._rendered, key, scope, seen, encoding))

    async def _rendered(self, key: tuple[object, ...], scope: Scope, seen: Headers, encoding: str) -> Page | None:
        """The page as it is now, kept; None where it is none that may be kept."""
        plain = {**scope, "method": "GET", "query_string": b"", "headers": seen, "client": None}
        made = self._clock()
        status, headers, body = await whole(self._app, plain, nobody())
        told = {name.lower(): value for name, value in headers}
        for_one = b"set-cookie" in told or b"no-store" in told.get(b"cache-control", b"")
        if status != 200 or for_one or not told.get(b"content-type", b"").startswith(b"text/html"):
            self._pages.pop(key, None)
            return None
        tag = b'"' + hashlib.sha256(body).hexdigest()[:24].encode() + encoding.encode() + b'"'
        small = await compressed(body, encoding)
        more = [(b"content-encoding", encoding.encode())] if encoding else []
        # A browser asks each time, and who may not see the page any more gets no answer from its store.
        more += [(b"etag", tag), (b"vary", _VARY), (b"cache-control", b"private, no-cache")]
        replaced = {b"content-length", b"date", *(name for name, _ in more)}
        page = Page([*((n, v) for n, v in headers if n.lower() not in replaced), *more], small, tag, made)
        self._pages[key] = page
        self._pages.move_to_end(key)
        while len(self._pages) > MOST:
            self._pages.popitem(last=False)
        return page


async def _give(page: Page, scope: Scope, send: Send) -> None:
    known = next((value for name, value in scope["headers"] if name == b"if-none-match"), b"")
    same = page.tag in known or known == b"*"
    headers = [each for each in page.headers if not same or not each[0].lower().startswith(b"content-")]
    if not same:
        headers = [*headers, (b"content-length", str(len(page.body)).encode())]
    await send({"type": "http.response.start", "status": 304 if same else 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if same or scope["method"] == "HEAD" else page.body})
