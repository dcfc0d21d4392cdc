"""Gradio's own queue in a class. It knows no people: who sends it thousands of events takes all of its places, and
everybody else's press on a button waits behind them, before any queue of ours is asked."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from shared.classroom.desk import Class
from shared.classroom.identity import COOKIE
from shared.languages import asked_language
from shared.languages.tongue import tongue

MOST = 40  # events of one person that may wait or go on at once on a page: our own queues let twenty runs wait
PLACES = 1000  # events that go on at once on a page; most wait in our queues, and hold no thread meanwhile for long


def share_out(demo: Any, room: Class) -> None:
    """Have a page's queue take no more of one person's; call it once it is served or mounted, before anybody came."""
    queue = demo._queue
    queue.max_thread_count = PLACES
    queue.active_jobs.extend([None] * (PLACES - len(queue.active_jobs)))  # where it was begun already
    push, theirs = queue.push, defaultdict[str, set[str]](set)

    async def pushed(body: Any, request: Any, username: Any) -> Any:
        person = room.room.person(request.cookies.get(COOKIE))
        if person is None:
            return await push(body=body, request=request, username=username)
        going = theirs[person.id]
        going.intersection_update(queue.event_ids_to_events)
        if len(going) >= MOST:
            words = "You have too much going on at once. Let some of it end, or stop it."
            return False, tongue(asked_language(request.scope)).text(words), "queue_full"
        success, event, state = await push(body=body, request=request, username=username)
        if success:
            going.add(event)
        return success, event, state

    queue.push = pushed
