"""Keeps a server that others reach from calling addresses of its own network on a visitor's behalf."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from urllib.parse import SplitResult, urlsplit

from shared.errors import BackendError

# An IPv4 address in IPv6 dress (RFC 6052): what it wraps is what is called.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def check_url(url: str, *, public: bool) -> SplitResult:
    """The URL in its parts. Raises `BackendError` for one that may not be called. Looks up no name.

    `public`: others reach this server, so only https to addresses of the open internet is allowed.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise BackendError("The server's address can't be read. Write it like https://server.example/v1.") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise BackendError("The server's address must begin with http:// or https:// and name a host.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise BackendError(
            "Leave keys and passwords out of the server's address. Type the key under “Your keys” "
            "(A server of your own)."
        )
    if public and parts.scheme != "https":
        raise BackendError("This server is open to others, so it calls only https addresses.")
    if public and _literal(host) and not is_open(host):
        raise BackendError(f"This server is open to others, so it doesn't call {host}: that is no internet address.")
    return parts


def is_open(address: str) -> bool:
    """Whether the IP address belongs to the open internet: not loopback, private, link-local or reserved."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        wrapped = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in _NAT64:
            wrapped = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if wrapped is not None:
            return is_open(str(wrapped))
    return ip.is_global and not ip.is_multicast


async def resolve(host: str, port: int) -> str:
    """An address of the host to connect to. Raises `BackendError` if any of its addresses isn't open.

    The caller connects to just this address, so that a second lookup can't turn to another one.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        raise BackendError(f"There is no server by the name {host}. Check the address.") from None
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not all(map(is_open, addresses)):
        raise BackendError(f"This server is open to others, so it doesn't call {host}: it lies in a private network.")
    return addresses[0]


def _literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
