"""Whose each open page is, so that what runs on it is found again by that browser, or by that person of a class.

A browser's token reaches the server once a page, when it is first touched: a class that opens its pages at once would
have everybody wait for a call more. What it told is written down where all servers that share the state find it, so
that an open page stays its owner's after a restart, or when another server answers it. A page is found by its session,
whose name the client chooses: with another's name somebody could only put runs of their own into that one's history.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress

from shared.errors import BackendError
from shared.operation import whose
from shared.settings import Settings
from shared.state.database import database_of
from shared.state.visited import Visited

ANEW = 86_400.0  # seconds after which a page that is used is written down again, lest it be taken for one left
TOUCHED = "touched"  # the id of the button that a page presses when it is first touched
# Part of the page's own script. Listeners see a press before what is pressed does.
TOUCH = (
    "const touch = () => { for (const kind of ['pointerdown', 'keydown']) removeEventListener(kind, touch, true); "
    f"document.getElementById('{TOUCHED}')?.click(); }}; "
    "for (const kind of ['pointerdown', 'keydown']) addEventListener(kind, touch, true);"
)


class Visits:
    """Owners by sessions, the last `most` of them. Safe to share between threads.

    `clock`: what measures how long ago a session was written down.
    """

    def __init__(self, most: int = 20_000, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock, self._lock = most, clock, threading.Lock()
        self._owners: OrderedDict[str, tuple[str, float]] = OrderedDict()  # and when that was written down
        self._kept: Visited | None = None

    def keep_in(self, kept: Visited) -> None:
        """From now on they are written down there too, and looked for there where this process doesn't know them."""
        self._kept = kept

    def known(self, session: str | None, owner: str) -> None:
        """From now on that session's runs are theirs. Where it can't be written down this process knows it all the
        same."""
        if not session:
            return
        with self._lock:
            self._owners[session] = owner, self._clock()
            self._owners.move_to_end(session)
            while len(self._owners) > self._most:
                self._owners.popitem(last=False)
        if self._kept is not None:
            with suppress(BackendError):
                self._kept.add(session, owner)

    def of(self, session: str | None) -> str:
        """Whose the session is, as the store names them; "" where that isn't known, or can't be looked for."""
        with self._lock:
            owner, since = self._owners.get(session or "", ("", self._clock()))
        if not owner and session and self._kept is not None:
            with suppress(BackendError):
                owner, since = self._kept.of(session), -math.inf
        if owner and self._clock() - since >= ANEW:
            self.known(session, owner)
        return owner


VISITS = Visits()


def tell_owners(settings: Settings, visits: Visits = VISITS) -> None:
    """From now on runs are their pages'. In a class they are people's, so that pages need not be written down."""
    if not settings.classroom:
        visits.keep_in(Visited(database_of(settings)))
    whose.read_by(_page, visits.of)


def _page() -> str:
    """The page that the request which is answered in this thread comes from."""
    from gradio.context import LocalContext

    request = LocalContext.request.get(None)
    return str(request.session_hash or "") if request is not None else ""
