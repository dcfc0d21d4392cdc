"""One server with a landing page and every Space under its own path."""

from __future__ import annotations

import runpy
import sys
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from shared import zerogpu
from shared.operation import logs
from shared.operation.readiness import Readiness
from shared.settings import Settings, from_environment
from shared.state.shares import shares_of
from shared.surroundings import loopback_past_proxies
from shared.ui.classroom.serving import announce, class_layers, class_pages, class_screen
from shared.ui.guarded_inputs import guard_inputs
from shared.ui.heading import Way, heading, lead_on
from shared.ui.kept_pages import KeptPages
from shared.ui.languages.layer import Speaking
from shared.ui.languages.spoken_pages import speak
from shared.ui.operation import Operation, checks_of
from shared.ui.quick_states import quicken
from shared.ui.serve import KEPT_ALIVE, MAX_THREADS, QUEUE, SCREEN, address, with_arguments
from shared.ui.shared_pages import SharedPages
from shared.ui.silent_connections import impatient, many_files
from shared.ui.stopping import start_server, stay, stop_server, until_stopped
from shared.ui.under_path import innermost, outermost
from shared.ui.web import Assets, SafeResponses

ROOT = Path(__file__).resolve().parents[2]
# A Space's name and what it is for, in the order of the cards.
ABOUT = {
    "chat": ("Chat", "Talk with a language model, and switch the engine under the same conversation."),
    "text2img": ("Text to image", "Draw from words. One prompt and seed, many engines: see what each draws."),
    "text2audio": ("Text to audio", "Speech, music and sounds from words, heard and seen while they are made."),
    "text2video": (
        "Text to video",
        "Moving pictures from words. One prompt and seed, many engines: see what each makes move.",
    ),
    "3d": ("Text to 3D", "From words or a picture to a thing you can turn, measure and print."),
}
# The lines of a card's picture, on a ground of 24 by 24.
_LINES = {
    "chat": "M4 5h16v11H10l-5 4v-4H4zM8 9h8M8 12h5",
    "text2img": "M3 4h18v16H3zM3 17l5-5 4 4 3-3 6 5M15.5 7.5a1.5 1.5 0 1 0 .01 0z",
    "text2audio": "M3 10v4M7 7v10M11 3v18M15 7v10M19 9v6M22 11v2",
    "text2video": "M3 5h18v14H3zM7 5v14M17 5v14M3 9h4M3 15h4M17 9h4M17 15h4",
    "3d": "M12 2l9 5v10l-9 5-9-5V7zM3 7l9 5 9-5M12 12v10",
}


@dataclass(frozen=True)
class Found:
    """A Space: its screen, or why it can't be shown."""

    name: str
    demo: gr.Blocks | None
    problem: str = ""


def find_spaces(root: Path = ROOT) -> list[Found]:
    """Every Space under `spaces/`; one that fails to start is reported, and takes nothing else down."""
    return [_start(app) for app in sorted(root.glob("spaces/*/app.py"), key=_place)]


def _place(app: Path) -> tuple[int, str]:
    known, name = list(ABOUT), app.parent.name
    return known.index(name) if name in known else len(known), name


def _start(app: Path) -> Found:
    try:
        made = runpy.run_path(str(app))
        return Found(app.parent.name, made.get("demo"), "its app.py defines no `demo`")
    except (Exception, SystemExit) as error:  # whatever a Space may raise: the others must still start
        return Found(app.parent.name, None, f"{type(error).__name__}: {error}")


def landing(spaces: list[Found], root: str = "") -> Any:
    """The page with a card for each Space. `root`: the path under which visitors find the server."""
    with gr.Blocks(title="Generative-AI playgrounds", analytics_enabled=False) as page:
        heading(
            "Generative-AI playgrounds",
            "One prompt, many engines. Each playground has a starter that needs no GPU, no key and no network.",
        )
        gr.HTML(f'<div class="pg-cards">{"".join(_card(space, root) for space in spaces)}</div>')
    return page


def _way(space: Found, root: str) -> Way:
    return Way(f"{root}/{space.name}/", _about(space)[0])


def _about(space: Found) -> tuple[str, str]:
    return ABOUT.get(space.name, (space.name, ""))


def _card(space: Found, root: str) -> str:
    title, words = _about(space)
    if space.demo is None:
        return f'<div class="pg-card"><h2>{escape(title)}</h2><p>It could not start: {escape(space.problem)}</p></div>'
    lines = _LINES.get(space.name, "")
    icon = f'<svg viewBox="0 0 24 24" aria-hidden="true"><path d="{lines}"/></svg>'
    inner = f"{icon}<h2>{escape(title)}</h2><p>{escape(words)}</p>"
    return f'<a class="pg-card" href="{_way(space, root).address}">{inner}</a>'


def build(spaces: list[Found], settings: Settings) -> Any:
    """The server as an ASGI application: every Space at `/<name>`, the landing page at `/`."""
    from fastapi import FastAPI

    guard_inputs()
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Speaking)
    app.add_middleware(KeptPages, paths=("/", *(f"/{space.name}/" for space in spaces)))
    app.add_middleware(SafeResponses)
    app.add_middleware(SharedPages, shares=shares_of(settings) if settings.sharing else None)
    app.user_middleware[:0] = class_layers(settings, {f"/{space.name}/": space.demo for space in spaces})
    screen = SCREEN | class_screen(settings) | {"root_path": ""}  # a Space would else take the whole path for its own
    readiness = Readiness(checks_of(space.demo for space in spaces))
    app.add_middleware(Operation, readiness=readiness, settings=settings)
    ways = [Way(f"{settings.root_path}/", "Playgrounds"), *(_way(space, settings.root_path) for space in spaces)]
    for space in spaces:
        if space.demo is not None:
            lead_on(space.demo, ways, _way(space, settings.root_path).address)
            space.demo.queue(**QUEUE)
            space.demo.max_threads = MAX_THREADS
            app = gr.mount_gradio_app(app, space.demo, path=f"/{space.name}", mcp_server=True, **screen)
            _launched(space.demo)
            quicken(space.demo)
            class_pages(settings, space.demo)
            speak(space.demo)
    app.user_middleware[:0] = outermost(settings)
    app.user_middleware += innermost(settings)
    front = landing(spaces, settings.root_path)
    app = gr.mount_gradio_app(app, front, path="/", **screen | {"footer_links": []})
    _launched(front)
    speak(front)
    return app


def _launched(demo: Any) -> None:
    """Have Gradio look at files as it does for what it launched itself. A page that is mounted it would let open any
    file of this machine that a visitor names as theirs, keys and databases too, and give it back to them."""
    demo.has_launched = demo.is_running = True


def main(root: Path = ROOT) -> None:
    """Serve the Spaces under `root` until Ctrl-C."""
    import uvicorn

    settings = with_arguments(from_environment(), sys.argv[1:])
    loopback_past_proxies()
    logs.configure(settings)
    server = None
    with until_stopped(settings.drain_seconds):
        spaces = find_spaces(root)
        app = build(spaces, settings)
        host, port = address(settings)
        server = uvicorn.Server(
            uvicorn.Config(Assets(app), host=host, port=port, log_level="warning", timeout_keep_alive=KEPT_ALIVE)
        )
        many_files()
        impatient(server.config)
        if settings.pool == "zerogpu":
            _on_zero_gpu(spaces, server)
        start_server(server)
        logs.configure(settings)
        announce(settings, host, port)
        stay("The hub of the playgrounds", host, port, open_browser=settings.open_browser)
    stop_server(server)


def _on_zero_gpu(spaces: list[Found], server: Any) -> None:
    """What Gradio's `launch` does there, and a server of our own must: each fork closes the server's connections, which
    it knows by their port."""
    for space in spaces:
        if space.demo is not None:
            space.demo.server = server
    zerogpu.report()


if __name__ == "__main__":
    main()
