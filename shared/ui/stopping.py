"""Says where the server is, waits for Ctrl-C, and ends in seconds whatever still runs."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from shared.operation.draining import DRAIN
from shared.surroundings import has_display

LINGER = 1  # seconds that open connections get to end by themselves
LAST_RESORT = 6.0  # seconds after which the process is ended though an engine still works


@contextmanager
def until_stopped(drain_seconds: float) -> Iterator[None]:
    """Let Ctrl-C or SIGTERM end the block, in the middle of a start too, with a word and no traceback.

    SIGTERM comes from whoever keeps many servers: what runs gets `drain_seconds` to end by itself, and nothing new
    begins meanwhile. Ctrl-C comes from a person who doesn't want to wait; it also ends that time.
    """
    signal.signal(signal.SIGTERM, _drained)
    try:
        yield
    except KeyboardInterrupt:
        with suppress(KeyboardInterrupt):
            _let_end(drain_seconds)
        print("\nStopping.", flush=True)


def _drained(_number: int, _frame: object) -> None:
    DRAIN.begin()
    raise KeyboardInterrupt


def _let_end(seconds: float) -> None:
    if DRAIN.draining and DRAIN.running:
        print(
            f"\nDraining: {DRAIN.running} under way, for {seconds:g} seconds at most. Ctrl-C ends it now.", flush=True
        )
        DRAIN.wait(seconds)


def stay(title: str, host: str, port: int, *, open_browser: bool) -> None:
    """Print where the server is, open the browser if wanted, and wait. Ends by `KeyboardInterrupt`."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    url = f"http://{_reachable(host)}:{port}"
    print(f"{title} is at {url}  (Ctrl-C stops it)", flush=True)
    if open_browser and has_display():
        _open(url)
    while True:
        time.sleep(0.5)  # not for ever: on Windows nothing interrupts that


def start_server(server: Any) -> None:
    """Run a uvicorn server in a thread of its own; returns once it answers. Raises `SystemExit` if it can't start."""
    server.thread = threading.Thread(target=server.run, name="server", daemon=True)
    server.thread.start()
    while not server.started:
        if not server.thread.is_alive():
            raise SystemExit("The server could not start; the reason stands above.")
        time.sleep(0.01)


def stop_server(server: Any) -> None:
    """End a uvicorn server that runs in a thread of its own, and see to it that the process ends."""
    threading.Thread(target=_end_anyway, daemon=True).start()
    if server is None or not hasattr(server, "thread"):
        return  # stopped before it had begun
    # Pages keep a connection open for as long as they are shown: cutting it is no error worth a traceback.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    server.config.timeout_graceful_shutdown = LINGER
    server.should_exit = True
    server.thread.join(LAST_RESORT)


def _end_anyway() -> None:
    """An engine in the middle of a step can't be interrupted from Python; waiting for it would look like a hang."""
    time.sleep(LAST_RESORT)
    sys.stdout.flush()
    os._exit(0)


def _reachable(host: str) -> str:
    """The address that a person on this machine types."""
    if host in {"0.0.0.0", "::", ""}:
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _open(url: str) -> None:
    import webbrowser

    # In a thread: some browsers return only when they are closed.
    threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
