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
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def running(*command: str, path: str = "/") -> Iterator[str]:
    """Run `python <command>` with a free port until the block ends; yields its address once it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "PLAYGROUND_PORT": str(port), "GRADIO_ANALYTICS_ENABLED": "False"}
    child = subprocess.Popen([sys.executable, *command], cwd=ROOT, env=environment)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(url + path, child)
        yield url
    finally:
        child.send_signal(signal.SIGINT)
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            child.kill()
            raise


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
