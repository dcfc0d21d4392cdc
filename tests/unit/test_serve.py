"""What every response carries, where a Space listens, and how it stops."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import brotli
import gradio
import pytest

from shared.settings import Settings, from_environment
from shared.surroundings import loopback_past_proxies
from shared.ui.serve import address, free_port, with_arguments
from shared.ui.web import Assets, Kept, SafeResponses
from tests.support.server import ROOT, running

SPACE = """
import sys
sys.path.insert(0, {root!r})
import gradio as gr
from shared.ui.serve import serve
with gr.Blocks(title="A small Space", analytics_enabled=False) as demo:
    gr.Markdown("Here.")
    from time import sleep
    from shared.operation.draining import DRAIN
    def slow():
        with DRAIN.run():
            print("A run begins", flush=True)
            sleep(1.5)
        return "done"
    words = gr.Textbox()
    words.submit(lambda message: message.upper(), words, words, api_name="shout")
    gr.Button().click(slow, None, gr.Textbox(), queue=False, api_name="slow")
serve(demo)
"""


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The smallest Space."""
    app = tmp_path_factory.mktemp("space") / "app.py"
    app.write_text(SPACE.format(root=str(ROOT)), encoding="utf-8")
    return app


@pytest.fixture(scope="module")
def url(space: Path) -> Iterator[str]:
    with running(str(space)) as address:
        yield address


def asset(kind: str) -> str:
    folder = Path(gradio.__file__).parent / "templates" / "frontend" / "assets"
    return max(folder.glob(f"*.{kind}"), key=lambda file: file.stat().st_size).name


def get(url: str, **headers: str) -> tuple[dict[str, str], bytes]:
    asked = {name.replace("_", "-"): value for name, value in headers.items()}
    with urllib.request.urlopen(urllib.request.Request(url, headers=asked), timeout=30) as answer:
        return {name.lower(): value for name, value in answer.headers.items()}, answer.read()


@pytest.mark.parametrize("path", ["/", "/config", "/gradio_api/info", "/assets/{js}"])
def test_every_response_carries_the_safe_headers(url: str, path: str) -> None:
    headers, _ = get(url + path.format(js=asset("js")))
    assert "img-src 'self' data: blob:" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_its_keeper_is_told_that_it_lives_and_can_serve(url: str) -> None:
    headers, body = get(f"{url}/healthz")
    assert body == b"ok\n" and headers["cache-control"] == "no-store" and headers["x-content-type-options"] == "nosniff"
    assert json.loads(get(f"{url}/readyz")[1]) == {"ready": True, "reasons": []}


def test_a_crowd_is_played_by_raw_http(url: str) -> None:
    asked = ["--pages", "3", "--chats", "4", "--over", "0.1", "--endpoint", "shout"]
    command = [sys.executable, "benchmarks/load.py", url, *asked]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    pages, streams = map(json.loads, done.stdout.splitlines())
    assert (pages["ended"], streams["ended"], done.returncode) == (3, 4, 0), done.stderr
    assert 0 < streams["first_output"]["p50"] <= streams["whole"]["max"] and pages["bytes_each"] > 1000
    lost = subprocess.run([*command[:2], url, "--chats", "1"], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert "no endpoint /chat" in lost.stderr and lost.returncode


def test_its_figures_are_for_its_keeper_alone(url: str) -> None:
    headers, body = get(f"{url}/metrics")
    assert headers["content-type"].startswith("text/plain; version=") and b"playground_runs_now{" in body
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(f"{url}/metrics", X_Forwarded_For="192.0.2.1")  # a proxy asks for somebody


@pytest.mark.parametrize("kind", ["js", "css"])
def test_an_asset_comes_compressed_and_is_kept_by_browsers(url: str, kind: str) -> None:
    import brotli

    plain, whole = get(f"{url}/assets/{asset(kind)}")
    for _ in range(2):  # made, then taken from the kept ones
        headers, body = get(f"{url}/assets/{asset(kind)}", Accept_Encoding="gzip, br")
        assert headers["content-encoding"] == "br" and brotli.decompress(body) == whole
        assert len(body) < len(whole) / 2
        assert headers["content-type"].split(";")[0].split("/")[1] == plain["content-type"].split(";")[0].split("/")[1]
        assert headers["cache-control"] == "public, max-age=31536000, immutable"
    assert plain["cache-control"] == headers["cache-control"]


def test_a_page_comes_compressed_and_is_the_same(url: str) -> None:
    import brotli

    headers, body = get(url, Accept_Encoding="br")
    plain, whole = get(url)
    assert headers["content-encoding"] == "br" and "content-encoding" not in plain
    assert len(brotli.decompress(body)) == len(whole) and brotli.decompress(body).startswith(whole[:200])


def test_what_can_change_is_not_kept(url: str) -> None:
    for path in ("/", "/config", "/theme.css"):
        assert "immutable" not in get(url + path)[0].get("cache-control", "")


def test_a_missing_asset_is_not_kept(url: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        get(f"{url}/assets/Nothing-abcdefgh.js", Accept_Encoding="br")
    assert caught.value.code == 404
    assert "cache-control" not in caught.value.headers
    caught.value.close()


@contextmanager
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_a_taken_port_is_left_alone_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    with taken() as port:
        other = free_port("127.0.0.1", port)
    assert other > port
    assert f"Port {port} is taken; using {other}." in capsys.readouterr().out


def test_an_address_of_another_machine_is_refused_with_what_to_do() -> None:
    with pytest.raises(SystemExit, match="--host is an address of this machine"):
        free_port("192.0.2.1", 7860)


def test_it_listens_on_loopback_unless_told_otherwise_and_everywhere_on_hugging_face() -> None:
    assert from_environment({}).host == "127.0.0.1"
    assert not from_environment({}).public
    told = with_arguments(from_environment({}), ["--host", "0.0.0.0", "--port", "8123"])
    assert (told.host, told.port, told.public) == ("0.0.0.0", 8123, True)
    assert address(from_environment({"SPACE_ID": "x/y"})) == ("0.0.0.0", 7860)


@pytest.mark.parametrize("port", ["0", "65536", "x", "-1"])
def test_a_port_that_is_none_is_refused(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        with_arguments(Settings(), [f"--port={port}"])
    assert "give a number from 1 to 65535" in capsys.readouterr().err


def test_a_port_from_the_environment_is_looked_at_too() -> None:
    with pytest.raises(SystemExit, match="99999 is not a port"):
        address(from_environment({"PLAYGROUND_PORT": "99999"}))


def test_proxies_are_not_asked_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "intranet.example")
    monkeypatch.delenv("no_proxy", raising=False)
    loopback_past_proxies()
    assert os.environ["NO_PROXY"].split(",")[0] == "intranet.example"
    assert {"127.0.0.1", "localhost"} <= set(os.environ["NO_PROXY"].split(","))
    monkeypatch.setenv("no_proxy", "")  # so that the one it made is undone too


def started(app: Path, port: int) -> tuple[subprocess.Popen[str], list[str]]:
    """The Space in a process of its own behind a proxy that is gone, once it says that it is ready."""
    gone = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")
    child = subprocess.Popen(
        [sys.executable, "-u", str(app), "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | gone,
    )
    lines: list[str] = []
    assert child.stdout is not None
    for line in child.stdout:
        lines.append(line)
        if "Ctrl-C" in line:
            break
    return child, lines


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_is_and_stops_cleanly(space: Path, how: signal.Signals) -> None:
    with taken() as port:
        child, lines = started(space, port)
    with child:
        assert f"Port {port} is taken" in "".join(lines)
        where = lines[-1].split()[5]
        assert lines[-1].startswith("A small Space is at http://127.0.0.1:")
        stuck = threading.Timer(20, child.kill)
        stuck.start()
        with socket.create_connection(("127.0.0.1", int(where.rpartition(":")[2]))) as visitor:
            visitor.sendall(b"GET /gradio_api/heartbeat/abc HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert b"200" in visitor.recv(100)  # a page that is still open must not hold the end up
            child.send_signal(how)
            said = child.communicate()[0]
        stuck.cancel()
    assert child.returncode == 0
    assert "Stopping." in said and "Traceback" not in said


@pytest.mark.skipif(os.name != "posix", reason="Windows has no SIGTERM to catch")
def test_what_runs_when_it_is_told_to_stop_ends_by_itself(space: Path) -> None:
    with taken() as port:
        child, lines = started(space, port)
    with child:
        where = lines[-1].split()[5]
        asked = urllib.request.Request(
            f"{where}/gradio_api/run/slow", b'{"data": []}', {"content-type": "application/json"}
        )
        answers: list[bytes] = []
        run = threading.Thread(target=lambda: answers.append(urllib.request.urlopen(asked, timeout=60).read()))
        run.start()
        assert child.stdout is not None
        assert any("A run begins" in line for line in child.stdout)
        child.send_signal(signal.SIGTERM)
        with pytest.raises(urllib.error.HTTPError, match="503") as refused:
            while True:
                get(f"{where}/readyz")
        assert "draining" in json.loads(refused.value.read())["reasons"][0]
        run.join(60)
        said = child.communicate()[0]
    assert json.loads(answers[0])["data"] == ["done"] and child.returncode == 0
    assert "Draining: 1 under way" in said and "Traceback" not in said


def test_a_kept_asset_is_answered_before_anything_else_looks_at_the_call() -> None:
    asked: list[str] = []

    async def behind(scope: Any, receive: Any, send: Any) -> None:
        asked.append(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"let a = 1;"})

    kept = Kept()
    app = Assets(SafeResponses(behind, kept), kept)

    def get(path: str, encoding: bytes = b"gzip, br", method: str = "GET") -> tuple[dict[bytes, bytes], bytes]:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [(b"accept-encoding", encoding)]
        asyncio.run(app({"type": "http", "method": method, "path": path, "headers": headers}, None, send))  # type: ignore[arg-type]
        return dict(sent[0]["headers"]), b"".join(each.get("body", b"") for each in sent[1:])

    first, again = get("/chat/assets/index-DphvyggB.js"), get("/3d/assets/index-DphvyggB.js")
    assert first == again and len(asked) == 1  # the same in every Space
    assert brotli.decompress(first[1]) == b"let a = 1;" and b"immutable" in first[0][b"cache-control"]
    assert gzip.decompress(get("/chat/assets/index-DphvyggB.js", b"gzip, deflate")[1]) == b"let a = 1;"  # plain http
    assert (
        get("/chat/assets/index-DphvyggB.js", b"br;q=0, identity")[1] == b"let a = 1;"
    )  # who can't read it gets it plain
    assert get("/chat/assets/index-DphvyggB.js", method="HEAD")[1] == b""
    assert get("/chat/assets/other.js")[1] == b"let a = 1;" and len(asked) == 5


def test_of_many_who_ask_at_once_for_an_asset_that_isnt_kept_yet_one_goes_through() -> None:
    went: list[str] = []

    async def behind(scope: Any, receive: Any, send: Any) -> None:
        went.append(scope["path"])
        await asyncio.sleep(0)  # others come meanwhile
        known = not scope["path"].startswith("/gone/")
        await send({"type": "http.response.start", "status": 200 if known else 404, "headers": []})
        await send({"type": "http.response.body", "body": b"let a = 1;" if known else b""})

    kept = Kept()
    app = Assets(SafeResponses(behind, kept), kept)

    async def get(path: str) -> int:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [(b"accept-encoding", b"br")]
        await app({"type": "http", "method": "GET", "path": path, "headers": headers}, None, send)  # type: ignore[arg-type]
        return int(sent[0]["status"])

    async def many(path: str) -> set[int]:
        return set(await asyncio.gather(*(get(path) for _ in range(20))))

    assert asyncio.run(many("/gone/assets/index-DphvyggB.js")) == {404}  # each is told so by whoever knows
    went.clear()
    assert asyncio.run(many("/chat/assets/index-DphvyggB.js")) == {200} and len(went) == 1
