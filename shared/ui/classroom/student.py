"""What students ask for: to be let in, what the teacher set, the wall, their vote, their own works."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from operator import itemgetter
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from shared.classroom.blinding import unlabelled
from shared.classroom.desk import own
from shared.classroom.identity import COOKIE
from shared.classroom.room import WrongCode
from shared.classroom.taking_home import zipped
from shared.errors import InvalidRequest
from shared.ui.classroom.answering import (
    body,
    html,
    is_teacher,
    lately,
    news,
    person_of,
    refused,
    room_of,
    root_of,
    saved_as,
    with_cookie,
    words_of,
)
from shared.ui.classroom.places import said_of_place
from shared.ui.classroom.telling import WALL

# Which of a work's kinds a browser may show by itself; all else is saved.
_SHOWN = ("image/png", "image/jpeg", "image/webp", "audio/", "video/", "text/plain")


async def door(request: Request) -> Response:
    """The page to join on; who is in goes on to the playgrounds."""
    room = room_of(request)
    if await run_in_threadpool(room.room.person, request.cookies.get(COOKIE)):
        return RedirectResponse(f"{root_of(request)}/", 303)
    return html(request, "join.html")


async def join(request: Request) -> Response:
    """Let somebody in by `code`, under `name`."""
    said, room = await body(request), room_of(request)
    try:
        token = await run_in_threadpool(room.room.join, str(said.get("code", ""))[:40], str(said.get("name", ""))[:100])
    except InvalidRequest as error:
        if isinstance(error, WrongCode):
            await asyncio.sleep(room.guesses.wrong())
        return refused(request.scope, str(error), 403)
    return with_cookie(JSONResponse({"ok": True}), request, COOKIE, token)


async def me(request: Request) -> Response:
    """What is to be shown to somebody on every page, once it differs from `after`."""
    room, words = room_of(request), words_of(request)
    if is_teacher(request) and not request.cookies.get(COOKIE):
        return JSONResponse({"teacher": True})
    person = await run_in_threadpool(person_of, request)

    def tell(_: Any) -> dict[str, Any]:
        facts = room.room.facts
        known = room.room.seen.people.get(person.id, person)
        own_balances = [b for b in room.ledger.balances(own(person.id)) if b.cap is not None]
        return {
            "name": known.name,
            "muted": known.muted,
            "paused": facts.paused,
            "frozen": facts.frozen,
            "pushed": said_of_place(facts.pushed, words),
            "poll": facts.poll,
            "left": {str(b.unit): b.left for b in own_balances},
        }

    return await news(request, lately(request, "room"), lambda seen: seen.version_for(person.id), tell)


async def wall(request: Request) -> Response:
    """The wall's page."""
    if not is_teacher(request):
        await run_in_threadpool(person_of, request)
    return html(request, "wall.html")


async def works(request: Request) -> Response:
    """What hangs on the wall, once it differs from `after`."""
    me = None if is_teacher(request) else await run_in_threadpool(person_of, request)

    def tell(looked: tuple[str, dict[str, Any]]) -> dict[str, Any]:
        return {**looked[1], "me": me.id if me else ""}

    return await news(request, lately(request, "wall"), itemgetter(0), tell)


async def vote(request: Request) -> Response:
    """`choice`: a work that hangs on the wall, or one of the poll's two."""
    said, room = await body(request), room_of(request)
    person = await run_in_threadpool(person_of, request)
    poll, choice = str(said.get("poll") or WALL)[:40], str(said.get("choice", ""))[:40]
    work = await run_in_threadpool(room.works.get, choice)
    if work is None or work.state != "shown" or not _open(room.room.facts.poll, poll, choice):
        raise HTTPException(400, "There is nothing of that name to vote for. Load the wall again.")
    if person.muted:
        raise HTTPException(403, "Your teacher has muted you.")
    await run_in_threadpool(room.works.vote, poll, person.id, choice)
    return JSONResponse({"ok": True})


def _open(asked: Mapping[str, Any], poll: str, choice: str) -> bool:
    """Whether that may be voted for: the wall's own vote, or a work of the poll that goes on."""
    if poll == WALL:
        return True
    return poll == asked.get("id") and bool(asked.get("open")) and choice in asked.get("works", ())


async def work(request: Request) -> Response:
    """A work's file: for everybody once it hangs on the wall, before that for its maker and the teacher."""
    room = room_of(request)
    found = await run_in_threadpool(room.works.get, request.path_params["work"])
    if found is None:
        raise HTTPException(404, "This work isn't there any more.")
    if not is_teacher(request):
        person = await run_in_threadpool(person_of, request)
        if found.state != "shown" and found.person != person.id:
            raise HTTPException(404, "This work isn't there any more.")
    data = await run_in_threadpool(room.works.read, found)
    if data is None:
        raise HTTPException(404, "This work's file is gone.")
    poll = room.room.facts.poll
    blind = bool(poll.get("open")) and found.id in poll.get("works", ()) and not is_teacher(request)
    if blind:
        data = await run_in_threadpool(unlabelled, data, found.media_type)
    seen = found.media_type.startswith(_SHOWN)
    kind = "text/plain; charset=utf-8" if found.media_type.startswith("text/") else found.media_type
    headers = {
        "content-disposition": f'{"inline" if seen else "attachment"}; filename="{found.file}"',
        "content-security-policy": "default-src 'none'; sandbox",
        "cache-control": "no-store" if blind else "private, max-age=3600",
    }
    return Response(data, media_type=kind if seen else "application/octet-stream", headers=headers)


async def mine(request: Request) -> Response:
    """All of somebody's own works with their receipts, as a zip."""
    person = await run_in_threadpool(person_of, request)
    pieces = zipped(room_of(request), person.id)
    return StreamingResponse(pieces, media_type="application/zip", headers=saved_as("my-works.zip"))


ROUTES = [
    Route("/join", door),
    Route("/class/api/join", join, methods=["POST"]),
    Route("/class/api/me", me),
    Route("/class/wall", wall),
    Route("/class/api/works", works),
    Route("/class/api/vote", vote, methods=["POST"]),
    Route("/class/work/{work}", work),
    Route("/class/api/mine.zip", mine),
]
