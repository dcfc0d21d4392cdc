"""What the teacher's desk asks for, all of it behind the passphrase."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from shared.classroom.codes import Slowing
from shared.classroom.desk import EVERYBODY, Class, own
from shared.classroom.identity import TEACHER_COOKIE
from shared.classroom.rules import MUTED, NotInClass
from shared.classroom.taking_home import table, zipped
from shared.media.safety import LEVELS
from shared.state.ledger import Unit
from shared.ui.classroom.answering import (
    body,
    html,
    is_teacher,
    lately,
    news,
    only_teacher,
    places,
    refused,
    room_of,
    saved_as,
    unframed,
    with_cookie,
    words_of,
)
from shared.ui.classroom.places import sent_to
from shared.ui.classroom.telling import said_of_class

SLOWING = Slowing()
_SWITCHES = ("open", "paused", "frozen", "approving")
_UNITS = {str(unit) for unit in Unit}


async def desk(request: Request) -> Response:
    """The desk, or the page to open it."""
    return unframed(html(request, "desk.html" if is_teacher(request) else "unlock.html"))


async def projector(request: Request) -> Response:
    """The page for the big screen."""
    return unframed(html(request, "projector.html" if is_teacher(request) else "unlock.html"))


async def unlock(request: Request) -> Response:
    """By the passphrase."""
    said = await body(request)
    token = room_of(request).teach(str(said.get("phrase", ""))[:200])
    if token is None:
        await asyncio.sleep(SLOWING.wrong())
        return refused(request.scope, "This isn't the passphrase. It was printed where the server was started.", 403)
    return with_cookie(JSONResponse({"ok": True}), request, TEACHER_COOKIE, token)


async def look(request: Request) -> Response:
    """All there is to see, once it differs from `after`."""
    only_teacher(request)
    words = words_of(request)
    there = [place.told(words) for place in places(request)]

    def tell(looked: tuple[str, dict[str, Any]]) -> dict[str, Any]:
        return {**said_of_class(looked[1], words), "places": there}

    return await news(request, lately(request, "desk"), itemgetter(0), tell)


async def act(request: Request) -> Response:
    """One of `_ACTS`."""
    only_teacher(request)
    said = await body(request)
    do = _ACTS.get(request.path_params["act"])
    if do is None:
        raise HTTPException(404, "The desk has no such thing.")
    said["to"] = sent_to(places(request), str(said.get("space", "")), str(said.get("lesson", "")))
    return JSONResponse(await run_in_threadpool(do, room_of(request), said) or {"ok": True})


def _set(room: Class, said: Mapping[str, Any]) -> None:
    changes: dict[str, Any] = {name: bool(said[name]) for name in _SWITCHES if name in said}
    if "models" in said:
        changes["models"] = _words(said["models"])
    if "blocked" in said:
        changes["blocked"] = _words(said["blocked"])
    if "safety" in said:
        changes["safety"] = said["safety"] if said["safety"] in LEVELS else ""
    if "parameters" in said:
        changes["parameters"] = _object(said["parameters"])
    for name in ("caps", "own"):
        if name in said:
            changes[name] = {u: _amount(v) for u, v in _object(said[name]).items() if u in _UNITS and v is not None}
    room.room.set(**changes)


def _code(room: Class, said: Mapping[str, Any]) -> dict[str, Any]:
    return {"code": room.room.new_code()}


def _push(room: Class, said: Mapping[str, Any]) -> None:
    """A text, or a lesson, or both."""
    text, to = str(said.get("text", ""))[:4000].strip(), said["to"]
    room.room.set(pushed={"id": secrets.token_hex(4), "text": text, **to} if text or "lesson" in to else {})


def _person(room: Class, said: Mapping[str, Any]) -> None:
    person = str(said.get("id", ""))
    if "name" in said:
        room.room.rename(person, str(said["name"]))
    marks = {name: bool(said[name]) for name in ("muted", "removed") if name in said}
    if marks:
        room.room.mark(person, **marks)
    if marks.get("removed"):
        room.going.end_all(person, str(NotInClass()))
    elif marks.get("muted"):
        room.going.end_all(person, MUTED)


def _work(room: Class, said: Mapping[str, Any]) -> None:
    work, state = str(said.get("id", "")), said.get("state")
    if state in ("waiting", "shown", "hidden"):
        room.works.move(work, state)
    elif state == "gone":
        room.works.remove(work)


def _show(room: Class, said: Mapping[str, Any]) -> None:
    work = str(said.get("id", ""))
    if work:
        room.works.move(work, "shown")
    room.room.set(shown=work)


def _poll(room: Class, said: Mapping[str, Any]) -> None:
    """Between works of one prompt, whose makers and models nobody sees until it ends."""
    chosen = [str(each) for each in said.get("works") or []][:6]
    if len(chosen) > 1:
        for work in chosen:
            room.works.move(work, "shown")
        poll = {"id": secrets.token_hex(4), "works": chosen, "question": str(said.get("question", ""))[:300]}
        room.room.set(poll=poll | {"open": True})
    else:
        room.room.set(poll={})


def _end_poll(room: Class, said: Mapping[str, Any]) -> None:
    room.room.set(poll={**room.room.facts.poll, "open": False})


def _reset(room: Class, said: Mapping[str, Any]) -> None:
    person = str(said.get("id", ""))
    accounts = [own(person)] if person else [EVERYBODY, *(own(p.id) for p in room.room.people)]
    for account in accounts:
        room.ledger.reset(account)


def _delete(room: Class, said: Mapping[str, Any]) -> None:
    if said.get("sure") is not True:
        raise HTTPException(400, "Deleting all must be meant: nothing was deleted.")
    room.delete_all()


_ACTS: dict[str, Callable[[Class, Mapping[str, Any]], dict[str, Any] | None]] = {
    "set": _set,
    "code": _code,
    "push": _push,
    "person": _person,
    "work": _work,
    "show": _show,
    "poll": _poll,
    "end-poll": _end_poll,
    "reset": _reset,
    "delete": _delete,
}


async def all_works(request: Request) -> Response:
    """Everybody's works as a zip."""
    only_teacher(request)
    pieces = zipped(room_of(request))
    return StreamingResponse(pieces, media_type="application/zip", headers=saved_as("class-works.zip"))


async def use(request: Request) -> Response:
    """The table of use."""
    only_teacher(request)
    text = await run_in_threadpool(table, room_of(request))
    return Response(text, media_type="text/csv; charset=utf-8", headers=saved_as("class-use.csv"))


async def code_drawn(request: Request) -> Response:
    """The link to join as a QR code."""
    only_teacher(request)
    import io

    import segno

    buffer = io.BytesIO()
    segno.make(str(request.query_params.get("of", ""))[:300] or "-", error="m").save(buffer, kind="svg", border=2)
    return Response(buffer.getvalue(), media_type="image/svg+xml", headers={"cache-control": "no-store"})


def _words(said: Any) -> tuple[str, ...]:
    return tuple(str(each).strip()[:100] for each in said if str(each).strip())[:100] if isinstance(said, list) else ()


def _object(said: Any) -> dict[str, Any]:
    return {str(k)[:40]: v for k, v in list(said.items())[:40]} if isinstance(said, dict) else {}


def _amount(said: Any) -> float:
    try:
        value = float(said)
    except (TypeError, ValueError):
        value = -1.0
    if not 0 <= value <= 1e9:
        raise HTTPException(400, "A budget is a number from 0 on.")
    return value


ROUTES = [
    Route("/class/desk", desk),
    Route("/class/projector", projector),
    Route("/class/api/unlock", unlock, methods=["POST"]),
    Route("/class/api/desk", look),
    Route("/class/api/desk/{act}", act, methods=["POST"]),
    Route("/class/api/class-works.zip", all_works),
    Route("/class/api/class-use.csv", use),
    Route("/class/api/code.svg", code_drawn),
]
