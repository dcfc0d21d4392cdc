"""Whose each open page is, so that what runs on it is found again by that browser, or by that person of a class.

A browser's token reaches the server once a page, when it is first touched: a class that opens its pages at once would
have everybody wait for a call more. A page is found by its session, whose name the client chooses: with another's name
somebody could only put runs of their own into that one's history.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

from shared.classroom import identity
from shared.classroom.desk import class_of
from shared.operation import whose
from shared.settings import Settings
from shared.state.history import owner_in_class
from shared.ui.jobs_panel import Owner

TOUCHED = "touched"  # the id of the button that a page presses when it is first touched
# Part of the page's own script. Listeners see a press before what is pressed does.
TOUCH = (
    "const touch = () => { for (const kind of ['pointerdown', 'keydown']) removeEventListener(kind, touch, true); "
    f"document.getElementById('{TOUCHED}')?.click(); }}; "
    "for (const kind of ['pointerdown', 'keydown']) addEventListener(kind, touch, true);"
)


class Visits:
    """Owners by sessions, the last `most` of them. Safe to share between threads."""

    def __init__(self, most: int = 20_000) -> None:
        self._most, self._lock = most, threading.Lock()
        self._owners: OrderedDict[str, str] = OrderedDict()

    def known(self, session: str | None, owner: str) -> None:
        """From now on that session's runs are theirs."""
        if not session:
            return
        with self._lock:
            self._owners[session] = owner
            self._owners.move_to_end(session)
            while len(self._owners) > self._most:
                self._owners.popitem(last=False)

    def of(self, session: str | None) -> str:
        """Whose the session is, as the store names them; "" where that isn't known."""
        with self._lock:
            return self._owners.get(session or "", "")


VISITS = Visits()


def tell_owners() -> None:
    """From now on runs are their pages'."""
    whose.read_by(_owner_of_page)


def _owner_of_page() -> str:
    """Whose page the request that is answered in this thread comes from."""
    from gradio.context import LocalContext

    request = LocalContext.request.get(None)
    return VISITS.of(request.session_hash) if request is not None else ""


def whose_history(settings: Settings, owner: Owner, token: Any) -> str:
    """Whose history somebody may see who asks now: in a class the person's own, else that of the browser's token."""
    if settings.classroom and (person := class_of(settings).room.person(identity.token())) is not None:
        return owner_in_class(person.id)
    return owner.of(token)
