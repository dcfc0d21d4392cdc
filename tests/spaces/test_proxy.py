"""The compose file's proxy, real, before a real Space: it keeps assets, and answers stream through it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from tests.support.server import ROOT, free_port, running

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
PATIENCE = 15.0  # seconds for what comes at once
pytestmark = pytest.mark.skipif(NGINX is None, reason="no nginx here (Debian: apt-get install nginx-light)")


@contextmanager
def before(url: str, folder: Path) -> Iterator[str]:
    """The proxy, as the compose file starts it, before the server at that address; its own address."""
    port = free_port()
    text = (ROOT / "docker" / "nginx.conf").read_text("utf-8")
    text = text.replace("playground:7860", url.removeprefix("http://")).replace("listen 8080", f"listen {port}")
    config = folder / "nginx.conf"
    config.write_text(text.replace("/tmp/", f"{folder}/"), encoding="utf-8")
    assert NGINX
    # As root it would give its work to a user that may not read the test's folder.
    user = "user root;" if os.geteuid() == 0 else ""
    child = subprocess.Popen([NGINX, "-c", str(config), "-p", str(folder), "-g", f"daemon off; {user}"])
    try:
        _wait(f"http://127.0.0.1:{port}/healthz")
        yield f"http://127.0.0.1:{port}"
    finally:
        child.terminate()
        child.wait(20)


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The proxy's address, before a chat Space."""
    with running("spaces/chat/app.py") as url, before(url, tmp_path_factory.mktemp("nginx")) as address:
        yield address


def _wait(url: str) -> None:
    for _ in range(100):
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise TimeoutError(url)


def test_an_asset_is_asked_of_the_server_once(proxied: str) -> None:
    page = httpx.get(proxied)
    # Addresses in the page are those of the proxy, or a browser would go past it.
    assert page.status_code == 200 and "content-security-policy" in page.headers and "X-Cache" not in page.headers
    asset = re.search(r"/assets/[\w.-]+-[\w-]{8,9}\.js", page.text)
    assert asset, "the page names no built file"
    seen = [httpx.get(proxied + asset[0], headers={"Accept-Encoding": e}) for e in ("gzip, br", "br", "identity")]
    assert [each.headers["X-Cache"] for each in seen] == ["MISS", "HIT", "MISS"]
    assert {each.headers["cache-control"] for each in seen} == {"public, max-age=31536000, immutable"}
    assert [each.headers.get("content-encoding") for each in seen] == ["br", "br", None]
    assert seen[2].content and all(each.headers["x-content-type-options"] == "nosniff" for each in seen)
    assert httpx.get(f"{proxied}/readyz").status_code == 404


def test_an_answer_comes_through_it(proxied: str) -> None:
    call = httpx.post(
        f"{proxied}/gradio_api/call/v2/chat", json={"message": "Count to fifty.", "max_tokens": 60}, timeout=60
    )
    with httpx.stream("GET", f"{proxied}/gradio_api/call/chat/{call.json()['event_id']}", timeout=120) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        came = [line.removeprefix("event: ") for line in answer.iter_lines() if line.startswith("event: ")]
    assert came[-1] == "complete" and len(came) > 3


class Holding(BaseHTTPRequestHandler):
    """Tells an event, and the next only when somebody has said elsewhere that it came."""

    heard: threading.Event

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream" if self.path == "/told" else "text/plain")
        self.end_headers()
        if self.path != "/told":
            return
        self.wfile.write(b"data: first\n\n")
        if self.heard.wait(2 * PATIENCE):
            self.wfile.write(b"data: last\n\n")

    def do_POST(self) -> None:
        self.heard.set()
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


def test_an_event_comes_through_it_before_the_next_is_made(tmp_path: Path) -> None:
    """A proxy that gathers events would never let this stream end: each side would wait for the other."""
    handler = type("Handler", (Holding,), {"heard": threading.Event()})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with before(f"http://127.0.0.1:{server.server_port}", tmp_path) as address:
            told = []
            with httpx.stream("GET", f"{address}/told", timeout=PATIENCE) as answer:
                for line in answer.iter_lines():
                    told += [line] if line else []
                    if told == ["data: first"]:
                        httpx.post(f"{address}/heard", timeout=PATIENCE)
        server.shutdown()
    assert told == ["data: first", "data: last"]
