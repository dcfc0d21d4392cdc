"""Stands between a browser and a server, and keeps every byte that the server sent: streams included."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_ENCODING = re.compile(rb"(?i)(accept-encoding: )([^\r\n]*)")


@dataclass(frozen=True)
class Tee:
    """Its address, and what the server behind it sent to all who came this way."""

    url: str
    received: bytearray = field(default_factory=bytearray)


@contextmanager
def tee(server: str) -> Iterator[Tee]:
    """A way to the server at that address, for the length of the block."""
    host, port = urlsplit(server).hostname, urlsplit(server).port
    listener = socket.create_server(("127.0.0.1", 0))
    made = Tee(f"http://127.0.0.1:{listener.getsockname()[1]}")

    def accept() -> None:
        with suppress(OSError):  # the listener was closed
            while True:
                near, _ = listener.accept()
                far = socket.create_connection((host, port))
                threading.Thread(target=_pump, args=(near, far, _uncompressed), daemon=True).start()
                threading.Thread(target=_pump, args=(far, near, made.received.extend), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield made
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _uncompressed(data: bytes) -> bytes:
    """The request, asking for what can be read without unpacking. Its length stays."""
    return _ENCODING.sub(lambda found: found[1] + b"identity".ljust(len(found[2])), data)


def _pump(source: socket.socket, sink: socket.socket, through: object) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(through(data) or data)  # type: ignore[operator]
    for each in (source, sink):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)  # wakes who goes the other way
        each.close()
