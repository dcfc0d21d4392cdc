"""The compose file's proxy, real, before a real Space: it keeps assets, and answers stream through it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.support.server import ROOT, free_port, running

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
pytestmark = pytest.mark.skipif(NGINX is None, reason="no nginx here (Debian: apt-get install nginx-light)")


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The proxy's address, before a chat Space."""
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    with running("spaces/chat/app.py") as url:
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


def test_answers_stream_through_it(proxied: str) -> None:
    """Words come while the answer is still written: most of the events before the last tenth of the time."""
    call = httpx.post(
        f"{proxied}/gradio_api/call/v2/chat", json={"message": "Count to fifty.", "max_tokens": 60}, timeout=60
    )
    came = []
    with httpx.stream("GET", f"{proxied}/gradio_api/call/chat/{call.json()['event_id']}", timeout=120) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        for line in answer.iter_lines():
            if line.startswith("event: "):
                came.append((line.removeprefix("event: "), time.monotonic()))
    assert came[-1][0] == "complete" and len(came) > 3
    began, ended = came[0][1], came[-1][1]
    early = [name for name, at in came if at - began < 0.9 * (ended - began)]
    assert len(early) >= 2, "all came at once: something between holds it back"
