"""The one HTTP client that every hosted SDK is given: no redirects, no cookies, no waiting without an end."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx2

    from shared.settings import Settings


def new_client(settings: Settings, *, guarded: bool = False) -> httpx2.AsyncClient:
    """A client for one run. `guarded`: a visitor chose the URL, so it must lead out of this network.

    Reading has no timeout here: `pacing` watches the stream itself, in one place for every SDK. A redirect is
    an error, because following it would carry the key to another address.
    """
    import httpx2

    transport = _guarded_transport() if guarded and settings.public else None
    return httpx2.AsyncClient(
        timeout=httpx2.Timeout(None, connect=settings.connect_timeout),
        follow_redirects=False,
        transport=transport,
        verify=_tls(),
        trust_env=not guarded,
        event_hooks={"response": [_read_errors]},
    )


@cache
def _tls() -> Any:
    """Reading the certificates takes tens of milliseconds: once a process is enough."""
    import httpx2

    return httpx2.create_ssl_context()


async def _read_errors(response: httpx2.Response) -> None:
    """So that the text of an error is there whichever SDK raises it."""
    if response.status_code >= 300:
        await response.aread()


def _guarded_transport() -> httpx2.AsyncBaseTransport:
    import httpx2

    from shared.url_guard import public_addresses

    class Guarded(httpx2.AsyncHTTPTransport):
        """Looks the name up, checks what it means, and connects to exactly that."""

        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            host, port = request.url.host, request.url.port or 443
            try:
                address = (await public_addresses(host, port))[0]
            except OSError as error:
                raise httpx2.ConnectError(str(error), request=request) from error
            request.extensions = {**request.extensions, "sni_hostname": host}
            request.url = request.url.copy_with(host=address)  # the Host header keeps the name
            return await super().handle_async_request(request)

    return Guarded(verify=_tls())
