"""A download from the Hub: what comes, and what is said when the Hub hangs, refuses, or the disk is too small."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from shared.backends.local import hub
from shared.errors import BackendError, Cancelled, CorruptWeights, HubUnavailable, MissingCredentials, UnknownModel
from shared.events import Event, Progress
from shared.settings import Secret, Settings
from shared.streaming import Emitter

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


@pytest.fixture
def fake() -> Iterator[FakeHub]:
    server = FakeHub()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own, here and in the process that downloads."""
    import huggingface_hub.constants

    folder = tmp_path / "hub"
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(folder))
    monkeypatch.setenv("HF_HUB_CACHE", str(folder))
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    return folder


def settings(fake: FakeHub | str, **more: Any) -> Settings:
    url = fake if isinstance(fake, str) else fake.url
    return Settings(base_urls={hub.ENDPOINT: url}, hub_timeout=1.5, **more)


def emit(into: list[Event] | None = None) -> Emitter:
    return Emitter((into if into is not None else []).append)


def test_only_the_files_that_are_needed_come_and_progress_is_told(fake: FakeHub) -> None:
    events: list[Event] = []
    got = hub.fetch("a/b", settings(fake), emit(events))
    assert sorted(p.name for p in got.path.rglob("*") if p.is_file()) == ["config.json", "model.safetensors"]
    assert got.revision == COMMIT
    totals = {e.total for e in events if isinstance(e, Progress) and e.total}
    assert totals == {600_002}


def test_what_is_here_needs_no_network(fake: FakeHub) -> None:
    first = hub.fetch("a/b", settings(fake), emit())
    asked = len(fake.asked)
    assert hub.fetch("a/b", settings(fake), emit()) == first
    assert hub.fetch("a/b", settings(fake, offline=True), emit()) == first
    assert len(fake.asked) == asked


def test_one_named_file_is_fetched_alone(fake: FakeHub) -> None:
    got = hub.fetch("a/b", settings(fake), emit(), allow_patterns=["config.json"])
    assert [p.name for p in got.path.iterdir()] == ["config.json"]


def test_weights_are_fetched_where_only_the_configuration_was_here(fake: FakeHub) -> None:
    hub.fetch("a/b", settings(fake), emit(), allow_patterns=["config.json"])
    assert (hub.fetch("a/b", settings(fake), emit()).path / "model.safetensors").is_file()


def test_a_hub_that_hangs_is_given_up_in_seconds(fake: FakeHub) -> None:
    fake.hang = True
    began = time.monotonic()
    with pytest.raises(HubUnavailable, match="can't be reached"):
        hub.fetch("a/b", settings(fake), emit())
    assert time.monotonic() - began < 20  # hub_timeout, and the start of a Python process on a busy machine


def test_a_hub_that_refuses_is_told() -> None:
    with pytest.raises(HubUnavailable, match="not on this machine"):
        hub.fetch("a/b", settings("http://127.0.0.1:9"), emit())


def test_offline_it_asks_nobody(fake: FakeHub) -> None:
    with pytest.raises(HubUnavailable, match="offline"):
        hub.fetch("a/b", settings(fake, offline=True), emit())
    assert not fake.asked


def test_a_repository_that_is_none_is_told(fake: FakeHub) -> None:
    fake.refuse = "RepoNotFound"
    with pytest.raises(UnknownModel, match="spelling"):
        hub.fetch("a/b", settings(fake), emit())


def test_a_gated_repository_asks_for_a_token(fake: FakeHub) -> None:
    fake.refuse = "GatedRepo"
    with pytest.raises(MissingCredentials, match="accept its terms") as caught:
        hub.fetch("a/b", settings(fake), emit())
    assert caught.value.env_var == "HF_TOKEN"


def test_a_revision_that_is_none_is_told(fake: FakeHub) -> None:
    fake.refuse = "RevisionNotFound"
    with pytest.raises(UnknownModel, match="revision"):
        hub.fetch("a/b", settings(fake), emit(), revision="v9")


def test_a_disk_too_small_is_told_before_it_fills(fake: FakeHub, cache: Path) -> None:
    fake.sizes["model.safetensors"] = 10**16
    with pytest.raises(BackendError, match="GB of disk"):
        hub.fetch("a/b", settings(fake), emit())
    assert not any("resolve" in path for path in fake.asked)


def test_a_file_that_comes_damaged_is_not_kept(fake: FakeHub) -> None:
    fake.damage = True
    with pytest.raises(CorruptWeights, match=r"model\.safetensors"):
        hub.fetch("a/b", settings(fake), emit())
    fake.damage = False
    got = hub.fetch("a/b", settings(fake), emit())
    assert (got.path / "model.safetensors").read_bytes() == FILES["model.safetensors"]


def test_the_sessions_token_goes_to_the_hub_and_no_other_does(fake: FakeHub) -> None:
    hub.fetch("a/b", settings(fake, session_keys={"HF_TOKEN": Secret("hf_mine")}), emit())
    assert fake.tokens == {"Bearer hf_mine"}


def test_without_a_token_none_is_sent(fake: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_somebody_elses")
    hub.fetch("a/b", settings(fake), emit())
    assert fake.tokens == {None}


def test_a_stop_ends_the_download_at_once_and_the_next_goes_on_from_there(fake: FakeHub) -> None:
    fake.slow = 0.3
    stopping = Emitter(lambda event: None)
    stopped_at: list[float] = []

    def press() -> None:
        while not any("resolve" in path and "safetensors" in path for path in fake.asked[1:]):
            time.sleep(0.02)
        time.sleep(1.5)
        stopped_at.append(time.monotonic())
        stopping.cancel.cancel()

    presser = threading.Thread(target=press)
    presser.start()
    with pytest.raises(Cancelled):
        hub.fetch("a/b", settings(fake), stopping)
    assert time.monotonic() - stopped_at[0] < 1.0
    presser.join()
    fake.slow = 0.0
    got = hub.fetch("a/b", settings(fake), emit())
    assert (got.path / "model.safetensors").read_bytes() == FILES["model.safetensors"]
    assert fake.ranges and not fake.ranges[-1].startswith("bytes=0-")
