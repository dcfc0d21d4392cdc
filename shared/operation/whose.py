"""Whose the run is that goes on in this thread, where nobody said so: by the page that it was begun on.

The shared layer knows no screen: whoever serves one says here how its visitor is found.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

_page: Callable[[], str] = lambda: ""  # noqa: E731
_owner: Callable[[str], str] = lambda page: ""  # noqa: E731


def read_by(page: Callable[[], str], owner: Callable[[str], str]) -> None:
    """From now on `page` names the page that a run in this thread was begun on, "" for none, and `owner` tells whose
    a page is: in any thread, and it may take as long as a database does."""
    global _page, _owner
    _page, _owner = page, owner


def visitor() -> Callable[[], str] | None:
    """What tells the owner, as the store names them: "" for nobody's. None where no page asks."""
    page = _page()
    return partial(_owner, page) if page else None
