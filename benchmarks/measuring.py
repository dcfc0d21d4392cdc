"""What the measurements share: a row of the result, a Space as a process, and its API by plain HTTP."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def row(what: str, value: float, unit: str, bound: str, details: str) -> dict[str, Any]:
    """A result. `bound` is like `>= 0.95` or `<= 1.2`."""
    sign, limit = bound.split()[:2]
    met = value >= float(limit) if sign == ">=" else value <= float(limit)
    return {"what": what, "value": round(value, 3), "unit": unit, "bound": bound, "met": met, "details": details}


def give(rows: list[dict[str, Any]]) -> None:
    """Hand the rows to `run.py`: the last line of standard output."""
    print(json.dumps(rows))


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def started(
    command: list[str], port: int, told: Mapping[str, str] | None = None
) -> tuple[subprocess.Popen[bytes], float]:
    """Start a server and wait for its first page; returns it and the seconds it took. `told`: more of its variables."""
    environment = {**os.environ, "PLAYGROUND_PORT": str(port), "GRADIO_ANALYTICS_ENABLED": "False", **(told or {})}
    quiet = subprocess.DEVNULL
    asked = urllib.request.Request(f"http://127.0.0.1:{port}/", headers={"Accept": "text/html"})
    begun = time.perf_counter()
    child = subprocess.Popen([sys.executable, *command], cwd=ROOT, env=environment, stdout=quiet, stderr=quiet)
    while True:
        try:
            with urllib.request.urlopen(asked, timeout=5) as page:
                page.read()
            return child, time.perf_counter() - begun
        except OSError:
            if child.poll() is not None:
                raise RuntimeError(f"{command} ended with status {child.returncode}") from None
            time.sleep(0.01)


def stopped(child: subprocess.Popen[bytes]) -> None:
    """End a server."""
    child.send_signal(signal.SIGINT)
    try:
        child.wait(15)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


@contextmanager
def space() -> Iterator[int]:
    """The chat Space on a port of its own."""
    port = free_port()
    child, _ = started(["spaces/chat/app.py"], port)
    try:
        yield port
    finally:
        stopped(child)


def chat(port: int, arguments: dict[str, Any]) -> tuple[float, float, dict[str, Any]]:
    """Call `/chat` by plain HTTP: seconds to the first text, seconds in all, and the last event's data."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    begun = time.perf_counter()
    body = json.dumps(arguments)
    connection.request("POST", "/gradio_api/call/v2/chat", body, {"Content-Type": "application/json"})
    event = json.loads(connection.getresponse().read())["event_id"]
    connection.request("GET", f"/gradio_api/call/chat/{event}")
    first, last = None, {}
    for raw in connection.getresponse():
        if not raw.startswith(b"data: {") and not raw.startswith(b"data: ["):
            continue
        data = json.loads(raw[6:])
        last = data[0] if isinstance(data, list) else data
        if first is None and last.get("text"):
            first = time.perf_counter() - begun
    total = time.perf_counter() - begun
    connection.close()
    if first is None or not last.get("receipt"):
        raise RuntimeError(f"no answer: {last}")
    return first, total, last
