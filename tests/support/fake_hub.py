"""A server that plays the Hugging Face Hub, with one repository, `a/b`."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"
FILES = {"config.json": b"{}", "model.safetensors": b"w" * 600_000, "pytorch_model.bin": b"\x80", "sub/x.py": b"1"}


class FakeHub:
    """The few addresses of the Hub that a download asks. `slow`: seconds between a file's pieces."""

    def __init__(self) -> None:
        self.files, self.refuse = dict(FILES), ""
        self.hang, self.damage, self.slow = False, False, 0.0
        self.sizes: dict[str, int] = {}
        self.asked: list[str] = []
        self.tokens: set[str | None] = set()
        self.ranges: list[str] = []
        hub_self = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                with contextlib.suppress(ConnectionError):
                    hub_self.answer(self)

            do_HEAD = do_GET

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.hang = False
        self._server.shutdown()
        self._server.server_close()

    def answer(self, call: BaseHTTPRequestHandler) -> None:
        self.asked.append(call.path)
        self.tokens.add(call.headers.get("Authorization"))
        while self.hang:
            time.sleep(0.05)
        if self.refuse:
            return self._send(call, b"{}", {"X-Error-Code": self.refuse}, 403 if self.refuse == "GatedRepo" else 404)
        if call.path.startswith("/api/models/a/b/tree/"):
            tree = [{"type": "file", "path": n, "size": len(d), "oid": self._tag(d)} for n, d in self.files.items()]
            return self._send(call, json.dumps(tree).encode(), {})
        if call.path.startswith("/api/models/a/b"):
            listed = [
                {"rfilename": n, "size": self.sizes.get(n, len(d)), "blobId": self._tag(d)}
                for n, d in self.files.items()
            ]
            info = {"id": "a/b", "modelId": "a/b", "sha": COMMIT, "siblings": listed, "tags": [], "private": False}
            return self._send(call, json.dumps(info).encode(), {})
        data = self.files[call.path.split(f"/{COMMIT}/")[1]]
        return self._file(call, data, self._tag(data))

    @staticmethod
    def _tag(data: bytes) -> str:
        """As the Hub's: a Git hash of a small file, SHA-256 of a large one."""
        return (hashlib.sha256 if len(data) > 100_000 else hashlib.sha1)(data).hexdigest()

    def _file(self, call: BaseHTTPRequestHandler, data: bytes, tag: str) -> None:
        data = data[:-1] + b"x" if self.damage else data
        headers = {"ETag": f'"{tag}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        start = 0
        if wanted := call.headers.get("Range"):
            self.ranges.append(wanted)
            start = int(wanted.removeprefix("bytes=").split("-")[0])
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        self._send(call, data[start:], headers, 206 if start else 200)

    def _send(self, call: BaseHTTPRequestHandler, body: bytes, headers: dict[str, str], status: int = 200) -> None:
        call.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            call.send_header(name, value)
        call.end_headers()
        if call.command == "HEAD":
            return
        for at in range(0, len(body), 50_000):
            call.wfile.write(body[at : at + 50_000])
            call.wfile.flush()
            time.sleep(self.slow if len(body) > 100_000 else 0)
