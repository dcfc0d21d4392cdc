"""A small threaded HTTP server that plays a provider: it follows a script, records what it was asked and when
its client hung up."""

from __future__ import annotations

import base64
import hashlib
import json
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Asked:
    """One request: header names in lower case, the body as JSON (None where it is none)."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    raw: bytes


@dataclass(frozen=True)
class Act:
    """What the server does with one request.

    `status`, `headers` and `body` are the answer; `chunks`, if given, are streamed instead, `pause` seconds apart.
    `frames`, if given, are messages of a websocket, which stays open until its client leaves. `before`: "hang" never
    answers. `after`: once the chunks are out, "hang" keeps silent, "cut" drops the connection without an end; "" ends
    properly.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    chunks: tuple[str | bytes, ...] | None = None
    frames: Iterable[str | bytes] | None = None
    pause: float = 0.0
    before: str = ""
    after: str = ""


class FakeServer:
    """Plays the acts of `script` one a request, and then `act` for all that follow."""

    def __init__(self, act: Act) -> None:
        self.act = act
        self.script: list[Act] = []
        self.asked: list[Asked] = []
        self.arrived = threading.Event()
        self.streaming = threading.Event()
        self.closed_at: float | None = None
        self.closed = threading.Event()
        self.stopping = threading.Event()
        self.routes: dict[str, Callable[[Asked], Act]] = {}
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.fake = self

    def reset(self, act: Act) -> None:
        """Forget what was asked, and do `act` from now on."""
        self.act, self.closed_at = act, None
        for each in (self.script, self.asked, self.routes):
            each.clear()
        for flag in (self.arrived, self.streaming, self.closed):
            flag.clear()

    @property
    def url(self) -> str:
        """Its address, without a path."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def next_act(self, asked: Asked) -> Act:
        """What to do with this request."""
        for prefix, route in self.routes.items():
            if asked.path.startswith(prefix):
                return route(asked)
        self.asked.append(asked)
        self.arrived.set()
        return self.script.pop(0) if self.script else self.act

    def start(self) -> None:
        """Serve in a thread."""
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Stop, and break off what still hangs."""
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def serving(act: Act) -> Iterator[FakeServer]:
    """A server for the length of the block."""
    fake = FakeServer(act)
    fake.start()
    try:
        yield fake
    finally:
        fake.stop()


@contextmanager
def deaf() -> Iterator[str]:
    """The address of a port whose connections are never accepted: connecting itself hangs."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    fillers = []
    try:
        for _ in range(8):  # fill the queue of connections that nobody accepts
            filler = socket.socket()
            filler.setblocking(False)
            with suppress(BlockingIOError):
                filler.connect(listener.getsockname())
            fillers.append(filler)
        time.sleep(0.05)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        for each in (*fillers, listener):
            each.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    fake: FakeServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what these tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._play()

    def do_POST(self) -> None:
        self._play()

    def do_PUT(self) -> None:
        self._play()

    def do_DELETE(self) -> None:
        self._play()

    def _play(self) -> None:
        raw = self._body()
        try:
            body = json.loads(raw)
        except ValueError:
            body = None
        headers = {name.lower(): value for name, value in self.headers.items()}
        act = self.server.fake.next_act(Asked(self.command, self.path, headers, body, raw))
        if act.before == "hang":
            self._hang()
        elif act.frames is not None:
            self._converse(headers["sec-websocket-key"], act.frames)
        elif act.chunks is None:
            self._answer(act)
        else:
            self._stream(act)

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _answer(self, act: Act) -> None:
        body = act.body if act.body is not None else {}
        text = body if isinstance(body, str | bytes) else json.dumps(body)
        data = text if isinstance(text, bytes) else text.encode()
        self.send_response(act.status)
        for name, value in {"Content-Type": "application/json", **act.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _converse(self, key: str, frames: Iterable[str | bytes]) -> None:
        """The server's side of a websocket (RFC 6455) that says much and listens to nothing."""
        self.send_response(101)
        accept = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        for name, value in {"Upgrade": "websocket", "Connection": "Upgrade"}.items():
            self.send_header(name, value)
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(accept).decode())
        self.end_headers()
        with suppress(OSError):
            for frame in frames:
                data = frame if isinstance(frame, bytes) else frame.encode()
                length = bytes([len(data)]) if len(data) < 126 else b"\x7e" + struct.pack(">H", len(data))
                self.wfile.write((b"\x82" if isinstance(frame, bytes) else b"\x81") + length + data)
                self.wfile.flush()
        self._hang()

    def _stream(self, act: Act) -> None:
        self.send_response(act.status)
        for name, value in {"Content-Type": "text/event-stream", **act.headers}.items():
            self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for chunk in act.chunks or ():
            if act.pause and self._gone(act.pause):
                return
            data = chunk if isinstance(chunk, bytes) else chunk.encode()
            try:
                self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
                self.wfile.flush()
            except OSError:
                self._note_closed()
                return
            self.server.fake.streaming.set()
        if act.after == "hang":
            self._hang()
        elif act.after == "cut":
            self.close_connection = True
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
        else:
            self.wfile.write(b"0\r\n\r\n")

    def _hang(self) -> None:
        self.close_connection = True
        while not self.server.fake.stopping.is_set():
            if self._gone(0.02):
                return

    def _gone(self, seconds: float) -> bool:
        """Wait; True as soon as the client has hung up."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self.server.fake.stopping.is_set():
            readable, _, _ = select.select([self.connection], [], [], min(left, 0.02))
            if readable:
                try:
                    hung_up = not self.connection.recv(1, socket.MSG_PEEK)
                except OSError:
                    hung_up = True
                if hung_up:
                    self._note_closed()
                    return True
        return False

    def _note_closed(self) -> None:
        self.close_connection = True
        self.server.fake.closed_at = time.monotonic()
        self.server.fake.closed.set()
