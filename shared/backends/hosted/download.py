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


async def fetch(
    url: str, call: HostedCall[Any, Any], what: str = "picture", most: int = MAX_REPLY, *, again: bool = False
) -> bytes:
    """The file at that address, asked for without any key. `what` a person would call it; `most`: bytes of it.

    Only the server that answered may name an address of its own network. Any other must be https and of the open
    internet. `again`: what isn't given out now may be asked for once more. Raises `ProviderError`.
    """
    name = call.account.name
    if url.startswith("data:"):
        return decoded(url, name)
    if same_server(url, call):
        return given_out(await call.http.get(url), name, what, again=again)
    try:
        parts = urlsplit(url)
        # What stands behind the question mark is the file's own signature, no password of ours.
        url_guard.check_url(urlunsplit(parts._replace(query="", fragment="")), public=True)
        http = await open_download(url, name, call.settings, most)
    except (BackendError, ValueError):
        raise ProviderError(
            name, f"{name} keeps its {what} at an address that isn't called: only https on the open internet is."
        ) from None
    async with http:
        return given_out(await http.get(url), name, what, again=again)


def same_server(url: str, call: HostedCall[Any, Any]) -> bool:
    """Whether the address is of the server that is asked, so that it may be called wherever it lies."""
    return _origin(url) == _origin(call.account.base_url)


def given_out(answer: Any, name: str, what: str, *, again: bool = False) -> bytes:
    """The file in the answer. Raises `ProviderError`, which may be tried `again` where that is said."""
    if answer.status_code != 200:
        raise ProviderError(
            name,
            f"{name} made a {what}, but didn't give it out (status {answer.status_code}). Try again.",
            retryable=again,
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
