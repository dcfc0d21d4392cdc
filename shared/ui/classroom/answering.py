"""What the class's pages have in common: safe headers, cookies, whose request it is, and waiting for news."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Generic, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from shared.classroom.desk import Class
from shared.classroom.identity import COOKIE, TEACHER_COOKIE
from shared.classroom.room import Person
from shared.languages import asked_language
from shared.languages.tongue import Tongue, tongue
from shared.ui.classroom.places import Place
from shared.ui.languages.layer import own_page
from shared.ui.once import Once
from shared.ui.web import POLICY

Looked = TypeVar("Looked")
HERE = Path(__file__).parent
WEEK = 7 * 86_400
NEWS = 20.0  # seconds that a page waits for news before it asks again
LOOK = 0.5  # seconds between two looks for it
SENT = 20.0  # seconds in which it must have come
MOST_BODY = 64 * 1024  # bytes of what a page may send
_HUB = "https://huggingface.co"  # shows each Space within a page of its own


@cache
def page(name: str) -> str:
    """One of the pages beside this module."""
    return (HERE / "pages" / name).read_text("utf-8")


def html(request: Request, name: str) -> Response:
    """The page as an answer, in the language that is asked for; no browser keeps it."""
    return HTMLResponse(own_page(page(name), asked_language(request.scope)), headers={"cache-control": "no-store"})


def unframed(answer: Response) -> Response:
    """The page, which no other site may show within its own: somebody would press here what they don't see."""
    answer.headers["content-security-policy"] = f"{POLICY}; frame-ancestors 'self' {_HUB}"
    return answer


def words_of(request: Request) -> Tongue:
    """The language that is asked for."""
    return tongue(asked_language(request.scope))


def refused(scope: Mapping[str, Any], words: str, status: int) -> Response:
    """An answer that says why there is no other, in the language that is asked for."""
    return JSONResponse({"error": tongue(asked_language(scope)).text(words)}, status)


def room_of(request: Request) -> Class:
    """The class that the server is of."""
    found: Class = request.app.state.room
    return found


def root_of(request: Request) -> str:
    """The path under which visitors find the server; "" for the root of its address."""
    return str(request.scope.get("root_path", ""))


def lately(request: Request, of: str) -> Lately[Any]:
    """What was last seen of the room: one of the looks that `pages` names."""
    found: Lately[Any] = request.app.state.lately[of]
    return found


def places(request: Request) -> tuple[Place, ...]:
    """The playgrounds that the server serves."""
    found: tuple[Place, ...] = request.app.state.places
    return found


def person_of(request: Request) -> Person:
    """Whose request it is. Raises 401 for nobody's."""
    person = room_of(request).room.person(request.cookies.get(COOKIE))
    if person is None:
        door = f"{root_of(request)}/join"
        raise HTTPException(401, f"You haven't joined this class in this browser. Open {door} and type its code.")
    return person


def is_teacher(request: Request) -> bool:
    """Whether it is the teacher's."""
    return room_of(request).is_teacher(request.cookies.get(TEACHER_COOKIE))


def only_teacher(request: Request) -> None:
    """Raises 403 for anybody else's."""
    if not is_teacher(request):
        desk = f"{root_of(request)}/class/desk"
        raise HTTPException(403, f"This is the teacher's. Open {desk} and type the passphrase.")


async def body(request: Request) -> dict[str, Any]:
    """What a page of this server sent, as an object. Raises 400 for anything else.

    Cookies come along with any site's page; but what calls itself JSON a browser sends for another site's only where
    this server agrees to that, which it never does. What such a page asks in other ways the gate refuses.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise HTTPException(403, "This must come from a page of this server, as JSON.")
    data = b""
    try:
        async with asyncio.timeout(SENT):
            async for part in request.stream():
                data += part
                if len(data) > MOST_BODY:
                    raise HTTPException(413, "That is too much to send at once.")
    except TimeoutError:
        raise HTTPException(408, "The server did not answer as it should. Try again.") from None
    try:
        said = json.loads(data or b"{}")
        json.dumps(said, ensure_ascii=False).encode()  # halves of characters can be written nowhere
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise HTTPException(400, "An object in JSON is needed.")
    return said


def with_cookie(response: Response, request: Request, name: str, token: str) -> Response:
    """The answer with that cookie, which no script can read, and no other server under the same address; within
    another site's frame too where that is safe."""
    secure = request.headers.get("x-forwarded-proto", request.url.scheme) == "https"
    path = root_of(request) or "/"
    response.set_cookie(
        name, token, max_age=WEEK, httponly=True, secure=secure, samesite="none" if secure else "lax", path=path
    )
    return response


def saved_as(name: str) -> dict[str, str]:
    """The headers of a file that the browser saves under that name, and keeps nowhere else."""
    return {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}


class Lately(Generic[Looked]):
    """What a look finds: for a moment the same for all who wait for news, so that two hundred cost what one does."""

    def __init__(self, look: Callable[[], Looked]) -> None:
        self._look, self._at = look, 0.0
        self._found: Looked | None = None
        self._once: Once[Looked] = Once()

    async def get(self, *, anew: bool = False) -> Looked:
        """What it found within the last `LOOK` seconds; or what it finds now."""
        if anew or self._found is None or time.monotonic() - self._at >= LOOK:
            return await self._once.of("", self._anew)
        return self._found

    async def _anew(self) -> Looked:
        self._found = await run_in_threadpool(self._look)
        self._at = time.monotonic()
        return self._found


def versioned(look: Callable[[], dict[str, Any]]) -> Callable[[], tuple[str, dict[str, Any]]]:
    """The look with a version of what it found: worked out once, for all who compare it with what they know."""

    def looked() -> tuple[str, dict[str, Any]]:
        told = look()
        return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()[:16], told

    return looked


async def news(
    request: Request,
    lately: Lately[Looked],
    version: Callable[[Looked], str],
    tell: Callable[[Looked], dict[str, Any]],
) -> Response:
    """What there is to tell, at once where the page knows another version, otherwise as soon as there is another."""
    known = request.query_params.get("after", "")
    loop = asyncio.get_running_loop()
    end = loop.time() + NEWS
    looked = await lately.get(anew=not known)  # a page that knows nothing yet is told what is true now
    while version(looked) == known and loop.time() < end:
        if await request.is_disconnected():
            break
        await asyncio.sleep(LOOK)
        looked = await lately.get()
    told = await run_in_threadpool(tell, looked)
    return JSONResponse({"version": version(looked), **told}, headers={"cache-control": "no-store"})
