"""Starts a Space as a person would, in a process of its own, and finds the browser."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def chromium() -> str:
    """The browser's path; without one, skips the test, or fails it in CI."""
    import pytest

    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path:
        return path
    message = "No Chromium: install it (Debian: apt-get install chromium)."
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@dataclass(frozen=True)
class Server:
    """A server in a process of its own. `log` is the file that holds what it printed, None: it prints here."""

    url: str
    pid: int
    log: Path | None


@contextmanager
def running(*command: str, path: str = "/") -> Iterator[str]:
    """Run `python <command>` with a free port until the block ends; yields its address once it answers."""
    with started(*command, path=path) as server:
        yield server.url


@contextmanager
def started(
    *command: str, path: str = "/", env: Mapping[str, str] | None = None, log: Path | None = None, port: int = 0
) -> Iterator[Server]:
    """As `running`, with more environment and the output in a file. No key or address of the tester's own is seen.

    `port`: that of an earlier one, for a server that is started anew; 0 takes a free one.
    """
    port = port or free_port()
    own = {k: v for k, v in os.environ.items() if not k.endswith(("_API_KEY", "_BASE_URL", "_TOKEN", "DATABASE_URL"))}
    more = {"PLAYGROUND_PORT": str(port), "GRADIO_ANALYTICS_ENABLED": "False", **(env or {})}
    with open(log, "wb") if log else nullcontext() as out:
        child = subprocess.Popen([sys.executable, *command], cwd=ROOT, env={**own, **more}, stdout=out, stderr=out)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(url + path, child)
            yield Server(url, child.pid, log)
        finally:
            child.send_signal(signal.SIGINT)
            try:
                child.wait(60)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
                raise


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(url: str, child: subprocess.Popen[bytes], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if child.poll() is not None:
            raise RuntimeError(f"the server ended with status {child.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError(url)
