"""The gate before every page of a class: who hasn't joined gets to the door and no further."""

from __future__ import annotations

import re
from collections.abc import MutableMapping, Sequence
from functools import partial
from http.cookies import CookieError, SimpleCookie
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route

from shared.classroom import identity
from shared.classroom.beside import Beside
from shared.classroom.calls import Calls
from shared.classroom.desk import Class, class_of
from shared.classroom.identity import COOKIE, TEACHER_COOKIE
from shared.classroom.uploads import Uploads
from shared.errors import InferenceError
from shared.media import safety
from shared.operation import beside
from shared.settings import Settings
from shared.ui.classroom import student, teacher
from shared.ui.classroom.answering import HERE, Lately, refused, versioned
from shared.ui.classroom.places import Place
from shared.ui.classroom.refusing import closed, foreign
from shared.ui.classroom.telling import told_of_class, told_of_wall
from shared.ui.under_path import Rooted
from shared.ui.web import SAFE, App, Message, Receive, Send

_STATIC = HERE / "static"
# What anybody may have besides the class's own pages, which ask for themselves.
_ASSET = re.compile(r"(?!/class/)(?:/\w+)?/(?:(?:assets|static)/[\w./-]+|theme\.css|favicon\.ico)")
_KEEPERS = ("/healthz", "/readyz", "/metrics", "/gradio_api/startup-events")  # the last asks Gradio of itself
_FILES = re.compile(r"(?:/\w+)?/gradio_api/upload/?")
MOST_SAID = 100_000_000  # bytes of a call that sends no files: three pictures, or a sound, written as text
MOST_PARTS = 300_000  # values within it: reading millions takes gigabytes, and all others wait meanwhile


class Gate:
    """ASGI middleware: answers the class's own pages, and lets members and the teacher through to all else."""

    def __init__(
        self,
        app: App,
        settings: Settings,
        places: Sequence[Place] = (),
        room: Class | None = None,
        uploads: Uploads | None = None,
        calls: Calls | None = None,
    ) -> None:
        self._app = app
        self._uploads, self._calls = uploads or Uploads(), calls or Calls()
        self.room = room or class_of(settings)
        self._root = settings.root_path
        self._pages = Rooted(pages(self.room, places), self._root)
        identity.read_by(_cookie)
        beside.taken_by(Beside(self.room))
        safety.set_by(lambda: self.room.room.facts.safety)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Pass the call on, or answer it."""
        path = scope.get("path", "")
        if scope["type"] == "websocket":  # nothing here speaks by one
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] != "http" or path in _KEEPERS or _is_asset(path):
            await self._app(scope, receive, send)
        elif foreign(scope):
            words = "This must come from a page of this server."
            await refused(scope, words, 403)(scope, receive, _safely(send))
        elif path == "/join" or path.startswith("/class/"):
            await self._counted(await self._person(scope), self._pages, scope, receive, _safely(send))
        elif closed(path):
            await refused(scope, "There is no such file.", 404)(scope, receive, _safely(send))
        elif (person := await self._person(scope)) is None and not self._is_teacher(scope):
            await _turned_away(scope, self._root)(scope, receive, _safely(send))
        elif person is not None and scope["method"] == "POST":
            await self._counted(person, partial(self._taken_from, person), scope, receive, send)
        else:
            await self._counted(person, self._app, scope, receive, send)

    async def _counted(
        self, person: str | None, app: App, scope: MutableMapping[str, Any], receive: Receive, send: Send
    ) -> None:
        """Pass it on, where that person doesn't ask too much."""
        if person is None:
            await app(scope, receive, send)
            return
        if not self._calls.begin(person):
            answer = refused(scope, "That is too much at once. Wait a few seconds, then go on.", 429)
            answer.headers["retry-after"] = "5"
            await answer(scope, receive, _safely(send))
            return
        try:
            await app(scope, receive, send)
        finally:
            self._calls.end(person)

    async def _taken_from(self, person: str, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Pass on what a student sends, as far as one person may."""
        told, files = _length(scope), _FILES.fullmatch(scope["path"]) is not None
        if told > MOST_SAID and not files:
            words = "That is too much to send at once."
            await refused(scope, words, 413)(scope, receive, _safely(send))
            return
        if self._uploads.is_full(told):
            words = "This server's disk is nearly full, so it takes no files. Tell your teacher."
            await refused(scope, words, 507)(scope, receive, _safely(send))
            return
        more = self._uploads.take(person, told)
        if more is None:
            most = self._uploads.most // 1_000_000
            words = (
                f"One person may send {most} MB to this class within an hour, and this would be more. "
                "Choose a smaller file, or try again later."
            )
            await refused(scope, words, 413)(scope, receive, _safely(send))
            return
        came = parts = 0

        async def received() -> Message:
            nonlocal came, parts
            message = await receive()
            body = message.get("body", b"")
            came += len(body)
            parts += 0 if files else sum(map(body.count, (b",", b"[", b"{")))
            # Who says no length, and sends on and on, is cut off.
            fits = came <= told + more and (files or (came <= MOST_SAID and parts <= MOST_PARTS))
            return message if fits else {"type": "http.disconnect"}

        try:
            await self._app(scope, received, send)
        finally:
            self._uploads.take(person, min(came, told + more) - told)

    async def _person(self, scope: MutableMapping[str, Any]) -> str | None:
        token = Request(scope).cookies.get(COOKIE)
        if token is None:
            return None
        ask = partial(self.room.room.person, token)
        # The server goes on answering while the database is read.
        found = ask() if self.room.room.is_known else await run_in_threadpool(ask)
        return None if found is None else found.id

    def _is_teacher(self, scope: MutableMapping[str, Any]) -> bool:
        return self.room.is_teacher(Request(scope).cookies.get(TEACHER_COOKIE))


def _safely(send: Send) -> Send:
    """With the headers of every response, where a page has set none of its own."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = {name.lower() for name, _ in message["headers"]}
            more = [(name, value) for name, value in SAFE.items() if name not in given]
            message = {**message, "headers": [*message["headers"], *more]}
        await send(message)

    return sent


def pages(room: Class, places: Sequence[Place]) -> Starlette:
    """The class's own pages."""
    routes = [*student.ROUTES, *teacher.ROUTES, Route("/class/static/{name}", _static)]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _refused, InferenceError: _failed})
    app.state.room, app.state.places = room, tuple(places)
    app.state.lately = {
        "room": Lately(lambda: room.room.seen),
        "wall": Lately(versioned(partial(told_of_wall, room))),
        "desk": Lately(versioned(partial(told_of_class, room))),
    }
    return app


async def _static(request: Request) -> Response:
    path = _STATIC / request.path_params["name"]
    if path.parent != _STATIC or not path.is_file():
        raise HTTPException(404, "There is no such file.")
    return FileResponse(path, headers={"cache-control": "no-cache"})


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return refused(request.scope, error.detail, error.status_code)


def _failed(request: Request, error: Exception) -> Response:
    """The state can't be reached or written to: it says so, and nothing else of the class ends by that."""
    return refused(request.scope, str(error), 503)


def _turned_away(scope: MutableMapping[str, Any], root: str) -> Response:
    accepts = Request(scope).headers.get("accept", "")
    if scope["method"] == "GET" and "text/html" in accepts:
        return RedirectResponse(f"{root}/join", 303)
    return refused(scope, f"This is a class, and you haven't joined it. Open {root + '/join'} and type its code.", 401)


def _length(scope: MutableMapping[str, Any]) -> int:
    told = dict(scope["headers"]).get(b"content-length", b"")
    return int(told) if told.isdigit() else 0


def _is_asset(path: str) -> bool:
    """Gradio's own files, the same for everybody."""
    return _ASSET.fullmatch(path) is not None


def _cookie(name: str) -> str:
    """Of the request that Gradio answers in this thread."""
    from gradio.context import LocalContext

    request = LocalContext.request.get(None)
    if request is None:
        return ""
    try:
        jar = SimpleCookie(request.headers.get("cookie", ""))
    except CookieError:
        return ""
    return jar[name].value if name in jar else ""
