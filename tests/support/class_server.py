"""A class at a real address: its real gate, with a page of a few words behind it in a playground's place."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route

from shared.classroom import identity
from shared.classroom.calls import Calls
from shared.classroom.desk import Class
from shared.classroom.uploads import Uploads
from shared.media import safety
from shared.settings import Secret, Settings
from shared.ui.classroom.gate import Gate
from shared.ui.classroom.places import Place
from shared.ui.classroom.serving import head
from shared.ui.kept_pages import KeptPages
from shared.ui.languages.layer import Speaking
from shared.ui.web import SafeResponses
from tests.support.server import free_port

PHRASE = "open-sesame"
PAGE = (
    f'<!doctype html><html lang="en"><head><title>A playground</title>{head("")}</head>'
    "<body><main><h1>A playground</h1><p>Here one makes things.</p></main></body></html>"
)


@contextmanager
def a_class(
    folder: Path,
    clock: Callable[[], float] = time.time,
    uploads: Uploads | None = None,
    calls: Calls | None = None,
) -> Iterator[tuple[str, Class]]:
    """Its address, and the class itself. `clock`: the machine's, as the class reads it."""

    async def page(request: Request) -> HTMLResponse:
        return HTMLResponse(PAGE)

    async def count(request: Request) -> JSONResponse:
        size = 0
        with suppress(ClientDisconnect):
            async for piece in request.stream():
                size += len(piece)
        return JSONResponse({"bytes": size})

    spoken = Speaking(
        Starlette(routes=[Route("/{path:path}", page), Route("/gradio_api/{path:path}", count, methods=["POST"])])
    )
    behind = SafeResponses(KeptPages(spoken, ("/",)))
    settings = Settings(data_dir=folder, classroom=True, class_passphrase=Secret(PHRASE))
    places = (Place("/", "Chat", (("1-few", "A few"), ("2-many", "Many"))),)
    gate = Gate(behind, settings, places, Class(settings, PHRASE, clock), uploads, calls)
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(gate, host="127.0.0.1", port=port, log_level="critical"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield f"http://127.0.0.1:{port}", gate.room
    finally:
        server.should_exit = server.force_exit = True
        thread.join(30)
        safety.set_by(lambda: "")
        identity.read_by(lambda name: "")
