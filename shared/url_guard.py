"""Keeps URLs that a visitor chose out of the server's own network."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from shared.errors import InvalidRequest

if TYPE_CHECKING:
    from shared.settings import Settings

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_LOCAL_SUFFIXES = (".localhost", ".local", ".internal", ".lan", ".home.arpa")
_INSIDE = "On this server only addresses of the public internet may be used."


def check_url(url: str, settings: Settings) -> None:
    """Raise `InvalidRequest` for a URL that may not be used here. Reads the URL only: no network.

    What the host's name stands for is checked by `public_addresses` when the connection is made.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise InvalidRequest("This is not a URL. Write it as https://server/v1.") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise InvalidRequest("Write the server's URL as https://server/v1.")
    if parts.username or parts.password:
        raise InvalidRequest("Leave the name and password out of the URL, and type the key under “Your keys”.")
    if not settings.public:
        return
    if parts.scheme != "https":
        raise InvalidRequest("This server is reached by others, so a URL must begin with https://.")
    host = parts.hostname.rstrip(".").lower()
    if host == "localhost" or host.endswith(_LOCAL_SUFFIXES) or not is_public(host):
        raise InvalidRequest(f"{host} is inside a private network. {_INSIDE}")


def is_public(host: str) -> bool:
    """False for an IP address that is loopback, private, link-local, a cloud's metadata service or the like.

    Names, and what a resolver would still read as a name, are True: they are looked up when connecting.
    """
    try:
        address = ipaddress.ip_address(host.split("%")[0])
    except ValueError:
        return True
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            address = inner
    return address.is_global and not address.is_multicast


async def public_addresses(host: str, port: int) -> list[str]:
    """The host's IP addresses. Raises `InvalidRequest` if any is inside a private network, `OSError` if none is found.

    Connect to one of these, not to the name again: a name can be made to change its meaning in between.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not all(map(is_public, addresses)):
        raise InvalidRequest(f"{host} is inside a private network. {_INSIDE}")
    return addresses
