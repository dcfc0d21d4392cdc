"""Serves what people share: `/shared/<id>` shows an output with what made it, `/shared/<id>/file` is the output itself.

What they hold is somebody's: every word is escaped, scripts and other servers are forbidden to the page, and a file is
served as what its ending says, of a short list, or is only downloaded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from shared.backends import BACKENDS
from shared.languages import LANGUAGES, asked_language
from shared.languages.tongue import tongue
from shared.receipts import Receipt
from shared.state.shares import Share, Shares
from shared.ui import receipt_view
from shared.ui.languages.layer import named
from shared.ui.web import App, Receive, Send

_PATH = re.compile(r"/shared/([A-Za-z0-9_-]{24})(/file)?")
# ending -> media type, and the element that shows it; what isn't here is downloaded
KINDS: Mapping[str, tuple[str, str]] = {
    ".png": ("image/png", "img"),
    ".jpg": ("image/jpeg", "img"),
    ".jpeg": ("image/jpeg", "img"),
    ".webp": ("image/webp", "img"),
    ".gif": ("image/gif", "img"),
    ".mp4": ("video/mp4", "video"),
    ".webm": ("video/webm", "video"),
    ".wav": ("audio/wav", "audio"),
    ".flac": ("audio/flac", "audio"),
    ".mp3": ("audio/mpeg", "audio"),
    ".ogg": ("audio/ogg", "audio"),
}
_ELEMENTS = {
    "img": '<img src="{0}" alt="{1}">',
    "video": '<video src="{0}" controls loop playsinline aria-label="{1}"></video>',
    "audio": '<audio src="{0}" controls aria-label="{1}"></audio>',
    "": '<p><a class="b" href="{0}" download>Download the file ({2})</a></p>',
}
POLICY = "; ".join(
    [
        "default-src 'none'",
        "img-src 'self'",
        "media-src 'self'",
        "style-src 'unsafe-inline'",
        "base-uri 'none'",
        "form-action 'none'",
    ]
)
STYLE = Path(__file__).with_name("shared_page.css")


class SharedPages:
    """ASGI middleware: answers these pages itself, and passes everything else on."""

    def __init__(self, app: App, shares: Shares | None) -> None:
        """`shares`: None where this server shares nothing."""
        self._app, self._shares = app, shares

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Answer, or pass the call on."""
        found = _PATH.fullmatch(scope.get("path", "")) if scope["type"] == "http" else None
        if found is None or scope["method"] not in {"GET", "HEAD"}:
            await self._app(scope, receive, send)
            return
        import anyio.to_thread

        status, headers, body = await anyio.to_thread.run_sync(self._answer, found[1], bool(found[2]))
        if headers["content-type"].startswith("text/html"):
            code = asked_language(scope)
            body = named(tongue(code).html(body.decode()).encode(), LANGUAGES[code], scripts=False)
        told = {"cache-control": "no-store", "x-robots-tag": "noindex", "x-content-type-options": "nosniff"}
        told |= {"referrer-policy": "no-referrer", "content-length": str(len(body)), **headers}
        lines = [(name.encode(), value.encode()) for name, value in told.items()]
        await send({"type": "http.response.start", "status": status, "headers": lines})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    def _answer(self, name: str, file: bool) -> tuple[int, dict[str, str], bytes]:
        share = self._shares.get(name, "page") if self._shares else None
        page = {"content-type": "text/html; charset=utf-8", "content-security-policy": POLICY}
        if share is None or self._shares is None:
            return 404, page, _page("Nothing is shared here", "<p>It was taken back, or the address is not whole.</p>")
        if not file:
            return 200, page, shown(share)
        data = self._shares.data(share)
        if data is None:
            return 404, page, _page("The file is gone", "<p>Its output is no longer on this server.</p>")
        suffix = Path(share.file).suffix
        kind, element = KINDS.get(suffix, ("application/octet-stream", ""))
        how = "inline" if element else "attachment"
        return (
            200,
            {
                "content-type": kind,
                "content-disposition": f'{how}; filename="shared{suffix if suffix.isascii() else ""}"',
                "content-security-policy": "default-src 'none'; sandbox",
            },
            data,
        )


def shown(share: Share) -> bytes:
    """The page of an output: itself, what was asked for, how it was made, and the way to make one's own."""
    document: Mapping[str, Any] = share.content.get("document", {})
    request = document.get("request", {})
    asked = str(request.get("prompt") or request.get("text") or "")
    parts = [f"<blockquote>{escape(asked)}</blockquote>" if asked else ""]
    if share.file:
        suffix = Path(share.file).suffix
        _, element = KINDS.get(suffix, ("", ""))
        parts.append(_ELEMENTS[element].format(f"{share.id}/file", escape(asked[:200], quote=True), escape(suffix)))
    if text := share.content.get("text"):
        parts.append(f'<div class="t" translate="no">{escape(str(text))}</div>')
    receipt = _receipt(document)
    if receipt is not None:
        rows = "".join(f"<tr><th>{escape(n)}</th><td>{escape(v)}</td></tr>" for n, v in receipt_view.rows(receipt))
        parts.append(f"<details open><summary>How it was made</summary><table>{rows}</table></details>")
    home = escape(str(share.content.get("home", "/")), quote=True)
    parts.append(f'<p><a class="b" href="{home}">Open these settings in the playground</a></p>')
    return _page(f"Made with {receipt.name}" if receipt else "Made in a playground", "".join(parts))


def _receipt(document: Mapping[str, Any]) -> Receipt | None:
    try:
        receipt = Receipt.from_dict(document.get("receipt", {}))
        return receipt if receipt.backend in BACKENDS else None
    except ValueError:
        return None


def _page(title: str, body: str) -> bytes:
    head = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="robots" content="noindex">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE.read_text(encoding='utf-8')}</style></head>"
    )
    made = "<footer>Made by a generative model. What it shows or says need not be so.</footer>"
    return f"{head}<body><main><h1>{escape(title)}</h1>{body}</main>{made}</body></html>".encode()
