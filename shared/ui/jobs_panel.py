"""The Jobs tab: what this browser sent to providers, how far it is, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import gradio as gr

from shared.classroom import identity
from shared.classroom.desk import class_of
from shared.engine import Engine
from shared.errors import InferenceError, NotReady, UnknownJob
from shared.events import Final
from shared.jobs.contents import read_request
from shared.jobs.job import Job
from shared.requests import Request
from shared.settings import Settings
from shared.state.history import owner_in_class
from shared.tasks import Task
from shared.ui.running import PRIVATE, note, quiet
from shared.ui.sessions import with_keys

EVERY = 5.0  # seconds between two looks while anything is pending; providers want no more
STATES = {
    "sending": "being sent",
    "running": "at the provider",
    "done": "done",
    "failed": "came to nothing",
    "cancelled": "called off",
    "unsure": "unsure",
}
NONE = "Nothing yet. What hosted engines make for you is kept here for a week, also when you leave the page."
AWAY = "This page knows you again by a token that stays in this browser; the server keeps no name and no key."


class View(Protocol):
    """Shows what a job brought, in components of its own."""

    outputs: list[Any]

    def show(self, final: Final, request: Request, settings: Settings) -> list[Any]:
        """Values for `outputs`. Raises `InferenceError`."""


class Owner:
    """Whose the browser's jobs are: `token` is kept in it, and `timer` runs while some are pending.

    To be made outside of the tabs: what lies in one that was never opened is not there for the browser.
    """

    def __init__(self, engine: Engine) -> None:
        self._owners, self._settings = engine.jobs.owners, engine.settings
        # The secret only guards against another page's reading by accident: what counts is the server's signature.
        self.token = gr.BrowserState("", storage_key="genai-playgrounds-owner", secret="owner")
        self.timer = gr.Timer(EVERY, active=False)

    def of(self, token: Any) -> str:
        """For `Engine.generate`: whose a run is, by the value of `token`. In a class it is the person's who joined: a
        school's browser is used by one after the other."""
        if self._settings.classroom and (person := class_of(self._settings).room.person(identity.token())) is not None:
            return owner_in_class(person.id)
        return self._owners.owner(token)

    def given(self, token: Any) -> Any:
        """The token, or a new one for a browser that has none."""
        return token if self._owners.owner(token) else self._owners.new()


class JobsPanel:
    """The tab's components, for the jobs of some tasks; `wire` connects them."""

    def __init__(self, engine: Engine, owner: Owner, view: Callable[[], View], *tasks: Task) -> None:
        self._engine, self._jobs, self._owner, self._tasks = engine, engine.jobs, owner, tasks
        self.told = gr.HTML(quiet(NONE), elem_id="jobs-told")
        self.chosen = gr.Radio([], label="Your jobs", visible=False, elem_id="jobs")
        with gr.Row(visible=False) as self.buttons:
            self.open = gr.Button("Open", variant="primary", elem_id="job-open", min_width=100)
            self.stop = gr.Button("Call off", elem_id="job-stop", min_width=100)
            self.forget = gr.Button("Forget", elem_id="job-forget", min_width=100)
        self.view = view()
        gr.HTML(quiet(AWAY))

    def wire(self, demo: gr.Blocks, tab: gr.Tab, keys: Any) -> None:
        """Connect the events: a browser without a token gets one, and pending jobs are looked at."""
        token, timer = self._owner.token, self._owner.timer
        listed = [self.told, self.chosen, self.buttons, self.open, self.stop, self.forget, timer]
        inputs = [token, keys, self.chosen]
        known = demo.load(self._owner.given, token, token, queue=False, **PRIVATE)
        for event in (known.then, tab.select, timer.tick):
            event(self._look, inputs, listed, concurrency_limit=None, **PRIVATE)
        self.chosen.input(self._listed, inputs, listed, queue=False, **PRIVATE)
        shown = [*listed, *self.view.outputs]
        self.open.click(self._open, inputs, shown, concurrency_limit=None, **PRIVATE)
        self.stop.click(self._call_off, inputs, listed, concurrency_limit=None, **PRIVATE)
        self.forget.click(self._forget, inputs, listed, queue=False, **PRIVATE)

    def _look(self, token: Any, keys: Any, chosen: str | None) -> list[Any]:
        """One look at each job that is pending and that nobody follows."""
        settings, words = with_keys(self._engine.settings, keys), ""
        for job in self._jobs.of(self._owner.of(token), *self._tasks):
            if job.state != "running" or not job.upstream or self._jobs.is_followed(job):
                continue
            try:
                for _ in self._engine.resume(job.id, owner=job.owner, settings=settings, wait=False):
                    pass
            except NotReady:
                continue
            except InferenceError as error:
                words = f"{job.name}: {error}"
        return self._listed(token, keys, chosen, words)

    def _listed(self, token: Any, keys: Any, chosen: str | None, words: str = "", kind: str = "") -> list[Any]:
        jobs = self._jobs.of(self._owner.of(token), *self._tasks)
        picked = next((job for job in jobs if job.id == chosen), None)
        told = note(words, kind) if words else note(picked.note) if picked else quiet("" if jobs else NONE)
        choices = [(_line(job), job.id) for job in jobs]
        return [
            told,
            gr.update(choices=choices, value=picked.id if picked else None, visible=bool(jobs)),
            gr.update(visible=picked is not None),
            gr.update(interactive=bool(picked and (picked.state == "done" or (picked.upstream and picked.pending)))),
            gr.update(interactive=bool(picked and picked.pending and picked.upstream)),
            gr.update(interactive=bool(picked and not picked.pending)),
            gr.update(active=any(job.pending for job in jobs)),
        ]

    def _open(self, token: Any, keys: Any, chosen: str | None) -> list[Any]:
        settings = with_keys(self._engine.settings, keys)
        skipped = [gr.skip() for _ in self.view.outputs]
        try:
            job = self._picked(token, chosen)
            *_, final = self._engine.resume(job.id, owner=job.owner, settings=settings, wait=False)
            assert isinstance(final, Final)
            shown = self.view.show(final, read_request(job.task, job.request), settings)
        except InferenceError as error:
            kind = "" if isinstance(error, NotReady) else "pg-error"
            return [*self._listed(token, keys, chosen, str(error), kind), *skipped]
        return [*self._listed(token, keys, chosen), *shown]

    def _call_off(self, token: Any, keys: Any, chosen: str | None) -> list[Any]:
        settings = with_keys(self._engine.settings, keys)
        try:
            job = self._picked(token, chosen)
            spec = self._engine.find(job.model, settings, read_request(job.task, job.request).TASK)
            words = self._jobs.call_off(job, spec, settings).note
        except InferenceError as error:
            return self._listed(token, keys, chosen, str(error), "pg-error")
        return self._listed(token, keys, chosen, words)

    def _forget(self, token: Any, keys: Any, chosen: str | None) -> list[Any]:
        try:
            job = self._picked(token, chosen)
        except UnknownJob as error:
            return self._listed(token, keys, None, str(error), "pg-error")
        if job.pending:
            words = "This one may still bring something, and be paid for. Call it off first, or wait for its end."
            return self._listed(token, keys, chosen, words)
        self._jobs.store.forget(job.id)
        return self._listed(token, keys, None)

    def _picked(self, token: Any, chosen: str | None) -> Job:
        """Raises `UnknownJob` where it is nobody's, or somebody else's."""
        owner = self._owner.of(token)
        if not owner:
            raise UnknownJob
        return self._jobs.find(chosen or "", owner, *self._tasks)


def _line(job: Job) -> str:
    prompt = " ".join(str(job.request.get("prompt", "")).split())
    parts: Sequence[str] = (
        prompt if len(prompt) <= 48 else f"{prompt[:47]}…",
        job.name,
        STATES[job.state],
        _cost(job),
        time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(job.created)),
    )
    return " · ".join(part for part in parts if part)


def _cost(job: Job) -> str:
    if job.state in {"sending", "failed"}:
        return ""
    usd = job.receipt.get("cost_usd") if job.receipt else job.quoted_usd
    return "unpriced" if usd is None else f"${usd:.2f}"
