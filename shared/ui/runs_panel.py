"""The History tab: what this browser, or this person of a class, ran on this server, in every Space.

Nothing is asked before the tab is opened, and the page holds three components for it: what is shown is one piece of
HTML, whose buttons are told to the server by a hidden one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from shared.errors import BackendError
from shared.requests import KINDS
from shared.settings import Settings
from shared.sharing import links
from shared.state.history import Ran, history_of
from shared.ui import history_view
from shared.ui.jobs_panel import Owner
from shared.ui.running import PRIVATE, note, quiet

_RAW: dict[str, Any] = {**PRIVATE, "queue": False}
KEPT = "What you wrote isn't kept here, only how it ran"
KEPT_TOO = "On this server what you wrote is kept too, by its keeper's wish"
_LONG = "{0}; the last {1} runs, for 30 days. This page knows you again by a token that stays in this browser."
_CLASS = "{0}; the last {1} runs, for 30 days, and only while you are in this class. Nobody else sees them here."
# A press of a button in the list presses the hidden one, which tells the server what the first one says.
LISTEN = """(...given) => { if (!window.pgActs) { window.pgActs = true; document.addEventListener('click', (event) => {
  const act = event.target.closest?.('.pg-act')?.dataset.act;
  if (act) { window.pgAct = act; document.getElementById('history-act')?.click(); } }); } return given; }"""
TOLD = "(...given) => [window.pgAct ?? '', ...given.slice(1)]"
# Another page, or what was deleted, is seen from its beginning.
SAVE = """(text) => { if (text) { const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], {type: 'text/csv'})); link.download = 'my-history.csv'; link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000); }
  else document.getElementById('history')?.scrollIntoView(); return ''; }"""


@dataclass(frozen=True)
class Place:
    """Where a task's settings are put back: the `box` that does it, and the `tab` that it is in."""

    box: str
    tab: str


class RunsPanel:
    """The tab's components; `wire` connects them. `places`, by task, may be filled afterwards."""

    def __init__(self, settings: Settings, owner: Owner, places: Mapping[str, Place]) -> None:
        self._settings, self._owner, self._places = settings, owner, places
        self._history = history_of(settings)
        self.shown = gr.HTML("", elem_id="history")
        self._act = gr.Button("", visible="hidden", elem_id="history-act")
        self._file = gr.Textbox(visible="hidden")

    def wire(self, tab: gr.Tab, link: Any, tabs: gr.Tabs) -> None:
        """Connect the events. `link`: the box that a link's settings are put back from; `tabs`: the page's."""
        token = self._owner.token
        tab.select(lambda token: self._page(token), token, self.shown, js=LISTEN, **_RAW)
        outputs = [self.shown, link, tabs, self._file]
        done = self._act.click(self._done, [self._file, token], outputs, js=TOLD, **_RAW)
        done.then(None, self._file, self._file, js=SAVE, **_RAW)

    def _page(self, token: Any, number: int = 0, words: str = "") -> str:
        try:
            runs = self._history.of(self._owner.of(token))
        except BackendError as error:
            return note(str(error), "pg-error")
        kept = KEPT_TOO if self._settings.log_prompts else KEPT
        long = (_CLASS if self._settings.classroom else _LONG).format(kept, self._settings.history)
        return note(words) + history_view.page(runs, number, self._places) + quiet(long)

    def _done(self, pressed: str, token: Any) -> list[Any]:
        """What the button says: `page:2`, `csv`, `delete` or `back:` and a run's id."""
        act, _, what = str(pressed).partition(":")
        does = _ACTS.get(act)
        unchanged = [gr.skip()] * 4
        try:
            return does(self, what, token) if does else unchanged
        except BackendError as error:
            return [note(str(error), "pg-error"), *unchanged[1:]]

    def _turn(self, what: str, token: Any) -> list[Any]:
        number = int(what) if what.isdecimal() and len(what) < 6 else 0
        return [self._page(token, number), gr.skip(), gr.skip(), gr.skip()]

    def _saved(self, _: str, token: Any) -> list[Any]:
        return [gr.skip(), gr.skip(), gr.skip(), history_view.to_csv(self._runs(token))]

    def _deleted(self, _: str, token: Any) -> list[Any]:
        count = self._history.forget(self._owner.of(token))
        words = "Deleted: 1 run." if count == 1 else f"Deleted: {count} runs."
        return [self._page(token, words=words), gr.skip(), gr.skip(), gr.skip()]

    def _put_back(self, what: str, token: Any) -> list[Any]:
        run = next((run for run in self._runs(token) if run.id == what), None)
        place = self._places.get(run.task) if run else None
        if run is None or place is None:
            return [self._page(token, words="This run isn't kept any more."), gr.skip(), gr.skip(), gr.skip()]
        return [gr.skip(), fragment(run, place.box), gr.Tabs(selected=place.tab), gr.skip()]

    def _runs(self, token: Any) -> list[Ran]:
        return self._history.of(self._owner.of(token))


_ACTS: Mapping[str, Callable[[RunsPanel, str, Any], list[Any]]] = {
    "page": RunsPanel._turn,
    "csv": RunsPanel._saved,
    "delete": RunsPanel._deleted,
    "back": RunsPanel._put_back,
}


def fragment(run: Ran, box: str) -> str:
    """The end of an address that puts a run's settings back, and leaves words on the screen as they are.

    When it is made stands in it, so that the same run can be put back twice.
    """
    receipt, kind = run.receipt, KINDS[run.task]
    settings = {name: value for name, value in receipt.get("settings", {}).items() if name not in kind.WORDS}
    document = {
        "request": dict.fromkeys(kind.CONTENT & {"prompt", "text"} or {"prompt"}, "-"),
        "receipt": {"model": receipt.get("model"), "seed": receipt.get("seed"), "settings": settings, "task": run.task},
        "at": time.time_ns(),
    }
    return f"{links.MARK}{box}.w{links.packed(document)}"
