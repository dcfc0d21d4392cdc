"""The HTTP client that every provider's SDK is given: one set of timeouts, no redirects, no surprises."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from shared import url_guard
from shared.backends.hosted.account import Account
from shared.settings import Settings

if TYPE_CHECKING:
    import httpx2

WRITE_TIMEOUT = 60.0  # seconds for the network to take the next piece of a request


@cache
def tls() -> ssl.SSLContext:
    """One context for all clients: reading the certificates takes a third of a second."""
    import httpx2

    return httpx2.create_ssl_context()


async def open_client(account: Account, settings: Settings, most: int | None = None) -> httpx2.AsyncClient:
    """A client for one run; close it after. Raises `BackendError` for an address that may not be called.

    It follows no redirect, so that a key goes nowhere else. How long to wait for an answer is `pace.py`'s
    affair: here only connecting and sending have limits. `most`: bytes of the largest answer that is read.
    """
    options: dict[str, Any] = {"transport": None, "mounts": _past_proxies()}
    if account.chosen and settings.public:
        options = {"transport": await _pinned(account.base_url)}
    return _client(account.name, settings, most, options)


async def open_download(url: str, provider: str, settings: Settings, most: int) -> httpx2.AsyncClient:
    """A client for a file at an address that a provider named: of the open internet, looked up once."""
    return _client(provider, settings, most, {"transport": await _pinned(url)})


def _client(name: str, settings: Settings, most: int | None, options: Mapping[str, Any]) -> httpx2.AsyncClient:
    import httpx2

    from shared.backends.hosted.limits import within

    timeout = httpx2.Timeout(None, connect=settings.connect_timeout, write=WRITE_TIMEOUT)

    async def prepare(request: httpx2.Request) -> None:
        request.extensions["timeout"] = timeout.as_dict()  # in place of each SDK's own
        if most is not None:
            request.headers["Accept-Encoding"] = "identity"  # what is packed can't be measured as it comes

    async def read(response: httpx2.Response) -> None:
        if most is not None:
            within(response, most, name)
        if response.status_code >= 300:
            await response.aread()

    return httpx2.AsyncClient(
        verify=tls(),
        timeout=timeout,
        follow_redirects=False,
        event_hooks={"request": [prepare], "response": [read]},
        **options,
    )


def _past_proxies() -> dict[str, None]:
    """A proxy that the environment names is not for this machine's own servers."""
    return {f"all://{host}": None for host in ("127.0.0.1", "localhost", "[::1]")}


async def _pinned(base_url: str) -> httpx2.AsyncBaseTransport:
    """A transport that connects to the one address looked up now, whatever the name turns to later."""
    import httpx2

    parts = urlsplit(base_url)
    host = parts.hostname or ""
    address = await url_guard.resolve(host, parts.port or 443)

    class Pinned(httpx2.AsyncHTTPTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            if request.url.host != host:
                raise httpx2.ConnectError("another host than the one that was checked", request=request)
            request.extensions["sni_hostname"] = host
            request.url = request.url.copy_with(host=address)
            return await super().handle_async_request(request)

    return Pinned(verify=tls())
