"""Starts one Space: on loopback unless told otherwise, on a free port, stopped cleanly by Ctrl-C."""

from __future__ import annotations

import argparse
import socket
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import gradio as gr

from shared.operation import logs
from shared.operation.readiness import Readiness
from shared.settings import Settings, from_environment
from shared.state.shares import shares_of
from shared.surroundings import loopback_past_proxies
from shared.ui.classroom.serving import announce, class_layers, class_pages, class_screen
from shared.ui.guarded_inputs import guard_inputs
from shared.ui.kept_pages import KeptPages
from shared.ui.languages.layer import Speaking
from shared.ui.languages.spoken_pages import speak
from shared.ui.operation import Operation, checks_of
from shared.ui.quick_states import quicken
from shared.ui.shared_pages import SharedPages
from shared.ui.silent_connections import impatient, many_files
from shared.ui.stopping import stay, stop_server, until_stopped
from shared.ui.theme import CSS, SCRIPT, THEME
from shared.ui.under_path import outermost
from shared.ui.web import Assets, SafeResponses

PORTS_TRIED = 100
EVERYWHERE = "0.0.0.0"
# Gradio's own limits (one call at a time an event, 40 threads) would make a class wait in line.
QUEUE: dict[str, Any] = {"default_concurrency_limit": None, "max_size": 2000}
MAX_THREADS = 250
# Seconds that an idle connection is kept. Where two hundred come at once, its next request may lie unread for longer
# than uvicorn's usual 5, and was lost then.
KEPT_ALIVE = 75
# Bytes of one uploaded file: what the largest that any panel takes may have, an archive of photographs.
MAX_UPLOAD = 300_000_000
LOOK: dict[str, Any] = {"theme": THEME, "css": CSS, "js": SCRIPT}
# No run history: it would keep what people typed in the browser of a shared computer.
SCREEN: dict[str, Any] = {
    "footer_links": ["api", "settings"],
    "run_history": False,
    "ssr_mode": False,
    "max_file_size": MAX_UPLOAD,
    **LOOK,
}


def serve(demo: gr.Blocks, settings: Settings | None = None, **more: Any) -> None:
    """Serve the Space until Ctrl-C or SIGTERM. Reads `--host`, `--port` and `--no-browser` from the command line.

    Without `settings` they are read from the environment. `more` goes to Gradio's `launch`.
    """
    options = settings or with_arguments(from_environment(), sys.argv[1:])
    with until_stopped(options.drain_seconds):
        host, port = begin(demo, options, **more)
        stay(str(demo.title), host, port, open_browser=options.open_browser)
    stop_server(demo.server)


def begin(demo: gr.Blocks, options: Settings, **more: Any) -> tuple[str, int]:
    """Have the Space served by a thread from now on; the host and the port. `more` goes to Gradio's `launch`."""
    from starlette.middleware import Middleware

    host, port = address(options)
    loopback_past_proxies()
    guard_inputs()
    demo.queue(**QUEUE)
    logs.configure(options)
    readiness = Readiness(checks_of([demo]))
    layers = [
        *outermost(options),
        Middleware(Operation, readiness=readiness, settings=options),
        *class_layers(options, {"/": demo}),
        Middleware(SharedPages, shares=shares_of(options) if options.sharing else None),
        Middleware(SafeResponses),
        Middleware(KeptPages, paths=("/",)),
        Middleware(Speaking),
    ]
    demo.launch(
        server_name=host,
        server_port=port,
        max_threads=MAX_THREADS,
        app_kwargs={"middleware": layers},
        prevent_thread_lock=True,
        quiet=True,
        enable_monitoring=False,
        mcp_server=True,
        **SCREEN | class_screen(options),
        **more,
    )
    quicken(demo)
    class_pages(options, demo)
    speak(demo)
    demo.server.config.timeout_keep_alive = KEPT_ALIVE
    many_files()
    impatient(demo.server.config)
    # Gradio starts its server itself, with a stack of its own that each call would go through.
    demo.app.middleware_stack = Assets(demo.app.middleware_stack or demo.app.build_middleware_stack())
    logs.configure(options)
    announce(options, host, port)
    return host, port


def with_arguments(settings: Settings, arguments: Sequence[str]) -> Settings:
    """The settings with what the command line says instead. Ends the process where it can't be read."""
    parser = argparse.ArgumentParser(description="Starts the playground on this machine.")
    parser.add_argument("--host", default=settings.host, help="the address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=settings.port, help="the port (default: %(default)s)")
    parser.add_argument("--no-browser", action="store_true", help="open no browser")
    said = parser.parse_args(arguments)
    opens = settings.open_browser and not said.no_browser
    return replace(settings, port=said.port, open_browser=opens).on_host(said.host)


def _port(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; give a number from 1 to 65535")
    return int(text)


def address(settings: Settings) -> tuple[str, int]:
    """The host and the free port to listen on. On Hugging Face that is every interface and the port it expects.

    Raises `SystemExit` with what to do where none can be had.
    """
    if settings.space_id is not None:
        return EVERYWHERE, settings.port
    return settings.host, free_port(settings.host, settings.port)


def free_port(host: str, wanted: int) -> int:
    """The wanted port, or the next that is free, with a message. Raises `SystemExit` where there is none."""
    if not 0 < wanted < 65536:
        raise SystemExit(f"{wanted} is not a port. Give a number from 1 to 65535 with --port.")
    tried = range(wanted, min(wanted + PORTS_TRIED, 65536))
    port = next((port for port in tried if _is_free(host, port)), None)
    if port is None:
        raise SystemExit(
            f"No port from {tried[0]} to {tried[-1]} can be opened on {host}. Give another with --port, and see that "
            "--host is an address of this machine."
        )
    if port != wanted:
        print(f"Port {wanted} is taken; using {port}.", flush=True)
    return port


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        if sys.platform != "win32":  # there it would let two servers share a port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
