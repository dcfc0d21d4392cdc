"""What every Space's page has: its head, the choice of an engine, tabs that end in Models, and the visitor's keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Protocol

import gradio as gr
from gradio.events import api

from shared.engine import Engine
from shared.errors import BackendError
from shared.operation.readiness import starters_run
from shared.settings import Settings
from shared.state.database import database_of
from shared.state.shares import shares_of
from shared.tasks import Task
from shared.ui import model_picker
from shared.ui.heading import heading
from shared.ui.history_api import forgetting, listing
from shared.ui.jobs_panel import Owner
from shared.ui.keys_panel import KeysPanel
from shared.ui.models_panel import ModelsPanel
from shared.ui.operation import add_check
from shared.ui.restoring import RestoreBox
from shared.ui.runs_panel import Place, RunsPanel
from shared.ui.sessions import Runs, with_keys
from shared.ui.sharing import FRAGMENT, Reader, SharedPanel, ShareRow
from shared.ui.visits import TOUCH, TOUCHED, VISITS, tell_owners
from shared.zerogpu.placing import place

PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "queue": False}
# Seconds: how often files that visitors made or sent are looked through, and how old they get.
CLEARED = (3600, 86400)


class Settable(Protocol):
    """A Space's settings: controls that an engine may not be able to follow."""

    @property
    def inputs(self) -> list[Any]:
        """The controls."""

    def for_engine(self, model: str, mode: str, variant: str | None, settings: Settings) -> list[Any]:
        """An update for each control."""


class Sharing(Protocol):
    """A panel whose outputs can be handed on: by `sharing`, and put back on the screen by `restoring`."""

    sharing: ShareRow
    restoring: RestoreBox


@contextmanager
def open_page(engine: Engine, task: Task, title: str, words: str, *more: Task) -> Iterator[Page]:
    """A Space's page, to be filled in the block: first `tabs`, then `side`, then `connect`.

    `engine` may be shared with other Spaces. `more`: what else the Space does beside `task`. Each has its own choice of
    an engine, which stands above the tabs while one of its tabs (see `Page.tab`) is open.
    """
    named = f"{title} · Generative-AI playgrounds"
    place(engine, (task, *more))
    with gr.Blocks(title=named, fill_width=False, analytics_enabled=False, delete_cache=CLEARED) as demo:
        heading(title, words)
        add_check(demo, partial(starters_run, engine, (task, *more)))
        add_check(demo, database_of(engine.settings).why_not)
        desks = [Desk(engine, each, first=each == task) for each in (task, *more)]
        with gr.Row(equal_height=False):
            page = Page(engine, desks, demo)
            yield page
        if engine.settings.history:
            api(listing(engine, page.owner), api_name="history")
            api(forgetting(engine, page.owner), api_name="forget_history")


class Desk:
    """A task's own part of the page: the choice of an engine, and `places`, which are there while its tabs are."""

    def __init__(self, engine: Engine, task: Task, *, first: bool) -> None:
        self.task, self.first = task, first
        with gr.Column(visible=first) as above:
            self.picker = model_picker.build(engine, task, "" if first else f"{task}-")
        self.places: list[Any] = [above]
        self.choose: Callable[[Any], Any] = lambda event: event  # chains to an event what follows the choice of a model


class Page:
    """The parts that every Space has; `shown`, its tabs, is there from `tabs` on, and `keys` once `side` has ended."""

    keys: KeysPanel
    shown: gr.Tabs
    owner: Owner
    _models: ModelsPanel
    _models_tab: gr.Tab

    def __init__(self, engine: Engine, desks: list[Desk], demo: gr.Blocks) -> None:
        self._engine, self._desks = engine, {desk.task: desk for desk in desks}
        self._tabs: list[tuple[gr.Tab, Task]] = []
        self._places: dict[str, Place] = {}  # by task, for the history
        self.demo, self.picker, self.runs = demo, desks[0].picker, Runs()
        self.owner = Owner(engine)
        self._space = str(desks[0].task)
        self._link = gr.Textbox(visible="hidden", elem_id="link")  # the end of the page's address, once it is open
        demo.load(None, None, self._link, js=f"() => {{ {TOUCH} return ({FRAGMENT})(); }}", **PRIVATE)
        if engine.settings.history:
            tell_owners(engine.settings)
            touched = gr.Button("", visible="hidden", elem_id=TOUCHED)
            touched.click(self._touched, self.owner.token, self.owner.token, **PRIVATE)

    def _touched(self, request: gr.Request, token: Any) -> Any:
        """Whose the page is; a browser without a token gets one."""
        try:
            given = self.owner.given(token)
            VISITS.known(request.session_hash, self.owner.of(given))
        except BackendError:  # the database that servers share is away: the page goes on, and its runs are nobody's
            return gr.skip()
        return given

    def picker_of(self, task: Task) -> model_picker.Picker:
        """The choice of an engine for one of the page's tasks."""
        return self._desks[task].picker

    @contextmanager
    def tabs(self) -> Iterator[None]:
        """The wide column: the Space's own tabs, then History and Models."""
        with gr.Column(scale=3, min_width=320), gr.Tabs() as self.shown:
            yield
            if self._engine.settings.history:
                self._add_history()
            with gr.Tab("Models", id="models") as self._models_tab:
                self._models = ModelsPanel(self._engine, list(self._desks))

    def _add_history(self) -> None:
        with gr.Tab("History", id="history") as tab:
            RunsPanel(self._engine.settings, self.owner, self._places).wire(tab, self._link, self.shown)

    @contextmanager
    def tab(self, label: str, name: str, task: Task) -> Iterator[gr.Tab]:
        """A tab of one of several tasks: opening it brings that task's choice of an engine and what is `beside` it."""
        with gr.Tab(label, id=name) as tab:
            yield tab
        self._tabs.append((tab, task))

    @contextmanager
    def side(self) -> Iterator[None]:
        """The narrow column: what the Space puts there, then the keys."""
        with gr.Column(scale=1, min_width=280):
            yield
            with gr.Accordion("Your keys", open=False):
                self.keys = KeysPanel(self._engine.settings)
            SharedPanel(self._engine, self._space, self.owner)

    @contextmanager
    def beside(self, task: Task) -> Iterator[None]:
        """Within `side`: what is there while a tab of that task is open."""
        desk = self._desks[task]
        with gr.Column(visible=desk.first) as place:
            yield
        desk.places.append(place)

    def connect(self, *settings: Settable) -> None:
        """Choosing an engine changes the other choices, the note, and what the settings can do.

        `settings`: of each task, in the order of `open_page`.
        """
        for desk, each in zip(self._desks.values(), settings, strict=True):
            self._choosing(desk, each)
        for tab, task in self._tabs:
            tab.select(partial(self.turned_to, task), None, self.places, **PRIVATE)
        self.keys.wire(self._choose_again)
        self._models.wire(self.keys.state, self._models_tab, self._choose_again)

    def share(self, panel: Sharing, source: Any, reader: Reader, task: Task | None = None, tab: str = "") -> None:
        """Let people hand on what a panel makes, after `connect` and the panel's `wire`.

        `source` holds its output, and `reader` tells what that is. `task`, `tab`: where the panel is, if not at first.
        """
        panel.sharing.wire(self._engine, self._space, self.owner, source, reader)
        self.puts_back(panel.restoring, task, tab)

    def puts_back(self, box: RestoreBox, task: Task | None = None, tab: str = "") -> None:
        """Let a link, and the history, put settings back by that box, after `connect` and the box's `wire`."""
        desk = self._desks[task] if task else next(iter(self._desks.values()))
        place = Place(box.name, tab or self._first_tab)
        turned = [self.shown, *self.places] if len(self._desks) > 1 else []

        def turn() -> list[Any]:
            return [gr.Tabs(selected=place.tab), *self.turned_to(desk.task)] if turned else []

        def listed(model: str) -> bool:
            return any(spec.id == model for spec in self._engine.catalog)

        shares = shares_of(self._engine.settings)
        box.wire_link(self._link, shares, listed, (turned, turn), desk.choose)
        self._places[desk.task] = place

    @property
    def _first_tab(self) -> str:
        return str(next(each.id for each in self.shown.children if isinstance(each, gr.Tab)))

    @property
    def places(self) -> list[Any]:
        """What belongs to one of the tasks and comes and goes with its tabs."""
        return [place for desk in self._desks.values() for place in desk.places]

    def turned_to(self, task: Task) -> list[Any]:
        """Updates for `places`: the task's are there. A tab that a program opens doesn't bring them by itself."""
        return [gr.update(visible=desk.task == task) for desk in self._desks.values() for _ in desk.places]

    def _seen(self, keys: Any) -> Settings:
        return with_keys(self._engine.settings, keys)

    def _choosing(self, desk: Desk, settings: Settable) -> None:
        engine, task, keys, listed = self._engine, desk.task, self.keys.state, self._models.listed
        model, mode, variant, note = desk.picker.model, desk.picker.mode, desk.picker.variant, desk.picker.note

        def fit(event: Any) -> Any:
            return event.then(
                lambda k, m, where, v: settings.for_engine(m, where, v, self._seen(k)),
                [keys, *desk.picker.inputs],
                settings.inputs,
                **PRIVATE,
            )

        def on_mode(mode: str, k: Any, listed: Any) -> Any:
            return model_picker.on_mode(engine.with_catalog(listed), task, mode, self._seen(k))

        def on_model(model: str, mode: str, k: Any) -> Any:
            return model_picker.on_model(engine, task, model, mode, self._seen(k))

        fit(mode.input(on_mode, [mode, keys, listed], [model, variant, note], **PRIVATE))
        chosen = {"fn": on_model, "inputs": [model, mode, keys], "outputs": [mode, variant, note], **PRIVATE}
        fit(model.input(**chosen))
        desk.choose = lambda event: fit(event.then(**chosen))
        fit(variant.input(lambda: None, **PRIVATE))

    def _choose_again(self, event: Any) -> Any:
        """Chain to the event what depends on the keys and on the list of models: every task's choices."""

        def on_keys(task: Task, k: Any, listed: Any, *picked: Any) -> Any:
            engine = self._engine.with_catalog(listed)
            return model_picker.on_keys(engine, task, model_picker.Picked(*picked), self._seen(k))

        for desk in self._desks.values():
            inputs = [self.keys.state, self._models.listed, *desk.picker.inputs]
            event = event.then(partial(on_keys, desk.task), inputs, [desk.picker.model, desk.picker.note], **PRIVATE)
        return event
