"""Fetches what a provider made and names by its address instead of sending it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit, urlunsplit

from shared import url_guard
from shared.backends.hosted.frame import HostedCall
from shared.backends.hosted.http import open_download
from shared.backends.hosted.limits import MAX_REPLY
from shared.backends.hosted.pictures import decoded
from shared.errors import BackendError, ProviderError


async def fetch(url: str, call: HostedCall[Any, Any], what: str = "picture") -> bytes:
    """The file at that address, asked for without any key. `what` a person would call it.

    Only the server that answered may name an address of its own network. Any other must be https and of the open
    internet. Raises `ProviderError`.
    """
    name = call.account.name
    if url.startswith("data:"):
        return decoded(url, name)
    if _origin(url) == _origin(call.account.base_url):
        return await _get(call.http, url, name, what)
    try:
        parts = urlsplit(url)
        # What stands behind the question mark is the file's own signature, no password of ours.
        url_guard.check_url(urlunsplit(parts._replace(query="", fragment="")), public=True)
        http = await open_download(url, name, call.settings, MAX_REPLY)
    except (BackendError, ValueError):
        raise ProviderError(
            name, f"{name} keeps its {what} at an address that isn't called: only https on the open internet is."
        ) from None
    async with http:
        return await _get(http, url, name, what)


async def _get(http: Any, url: str, name: str, what: str) -> bytes:
    answer = await http.get(url)
    if answer.status_code != 200:
        raise ProviderError(
            name,
            f"{name} made a {what}, but didn't give it out (status {answer.status_code}). Try again.",
        )
    content: bytes = answer.content
    return content


def _origin(url: str) -> tuple[str, str | None, int | None] | None:
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return None
    return parts.scheme, parts.hostname, port
