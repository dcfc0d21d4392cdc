"""The history of runs on SQLite and on a real PostgreSQL: whose it is, what is kept, how it looks."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import gradio as gr
import pytest
from gradio.context import LocalContext

from shared.backends.base import Outcome, Usage
from shared.comparing import at_once
from shared.engine import Engine
from shared.errors import KeyRefused
from shared.events import Final
from shared.operation import whose
from shared.operation.keeping import Keeping
from shared.outputs import AudioOutput, ImageOutput
from shared.pacing import SoFar
from shared.requests import KINDS, ImagePart, ImageRequest, Message, Request, Shot, SpeechRequest
from shared.settings import Settings
from shared.sharing import links
from shared.state.database import Database, sql
from shared.state.history import KEPT, History, Ran, history_of, owner_in_class
from shared.tasks import Task
from shared.ui import history_view
from shared.ui.audio.compose_restore import compose_restore
from shared.ui.audio.sound_restore import sound_restore
from shared.ui.audio.speak_restore import speak_restore
from shared.ui.chat.api import _chat
from shared.ui.chat.restoring import chat_restore
from shared.ui.history_api import forgetting, listing
from shared.ui.image.restore_panel import picture_restore
from shared.ui.jobs_panel import Owner
from shared.ui.motion.restoring import motion_restore
from shared.ui.restoring import RestoreBox
from shared.ui.runs_panel import Place, RunsPanel, fragment
from shared.ui.solid.restoring import solid_restore
from shared.ui.video.restore_panel import clip_restore
from shared.ui.visits import VISITS, tell_owners
from tests.support.away import Away
from tests.support.fakes import FakeBackend, a_variant, an_engine, ask, fail, say
from tests.support.server import ROOT

Opener = Callable[[], Database]
Add = Callable[[FakeBackend], FakeBackend]
LONG = 30.0
MADE: Mapping[Task, tuple[Request, object]] = {
    Task.CHAT: (ask("a secret cat"), None),
    Task.TEXT_TO_IMAGE: (
        ImageRequest(prompt="a secret cat", negative_prompt="a secret dog"),
        ImageOutput(images=(ImagePart(b"png", "image/png"),)),
    ),
    Task.TEXT_TO_SPEECH: (
        SpeechRequest(text="a secret cat", instructions="in a secret voice"),
        AudioOutput(pcm=b"\0\0" * 24_000, sample_rate=24_000),
    ),
}
NEEDED = frozenset({"messages", "prompt", "text"})
RECEIPT = {
    "model": "m",
    "name": "M",
    "task": "conversational",
    "backend": "llama_cpp",
    "mode": "local",
    "license": "MIT",
}


def engine_for(add: Add, task: Task, history: History, *, prompts: bool = False) -> Engine:
    """An engine that does that task, and writes its runs down."""
    output: Any = MADE[task][1]
    run = (
        say("Hi", usage=Usage(input_tokens=3, output_tokens=2)) if output is None else lambda *_: Outcome(output=output)
    )
    takes = frozenset({"seed", "temperature", "negative_prompt", "instructions"})
    engine = an_engine(a_variant(add(FakeBackend(f"for-{task}", run=run, takes=takes))), task=task)
    engine.watchers = (Keeping(history, prompts=prompts),)
    return engine


def end(engine: Engine, request: Request, **how: Any) -> Final:
    final = list(engine.generate("m", request, **how))[-1]
    assert isinstance(final, Final)
    return final


Built = TypeVar("Built")


def on_a_page(make: Callable[[], Built]) -> Built:
    """What is made as part of a page, where an event loop runs: elsewhere Gradio leaves loops of its own open."""

    async def build() -> Built:
        with gr.Blocks(analytics_enabled=False):
            return make()

    return asyncio.run(build())


@pytest.fixture
def visit(tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Answers the requests of a page, by its session, in this thread."""
    tell_owners(Settings(data_dir=tmp_path / "visits"))
    try:
        yield lambda session: LocalContext.request.set(gr.Request(session_hash=session)) and None
    finally:
        LocalContext.request.set(None)
        whose.read_by(lambda: "", lambda page: "")


def test_runs_of_every_kind_are_their_owners_and_nobody_elses_on_every_server(
    add: Add, opened: Opener, visit: Callable[[str], None]
) -> None:
    here, there = History(opened()), History(opened())
    VISITS.known("page-of-ada", "ada")
    for task, (request, _) in MADE.items():
        engine = engine_for(add, task, here)
        visit("page-of-ada")
        end(engine, request)
        visit("page-of-nobody")
        end(engine, request)
        end(engine, request, owner="bob")
    for history in (here, there):
        assert [run.task for run in history.of("ada")] == [str(task) for task in reversed(MADE)]
        assert len(history.of("bob")) == len(MADE) and history.of("") == []
    kept = json.dumps([[run.receipt, run.prompt] for run in there.of("ada")])
    assert "secret" not in kept and '"total"' in kept and '"output_tokens": 2' in kept


def test_what_was_asked_is_kept_where_the_servers_keeper_wants_that(add: Add, opened: Opener) -> None:
    history = History(opened())
    end(engine_for(add, Task.TEXT_TO_IMAGE, history, prompts=True), MADE[Task.TEXT_TO_IMAGE][0], owner="ada")
    (run,) = history.of("ada")
    assert run.prompt == "a secret cat\na secret dog" and run.receipt["settings"]["negative_prompt"] == "a secret dog"


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.__name__)
def test_every_text_of_a_request_is_known_as_words(kind: type[Request]) -> None:
    """What a person wrote is content, which no receipt holds, or words, which a history doesn't."""
    names = {each.name for each in fields(kind)}
    given: dict[str, Any] = {"messages": (Message("user", "mine"),), "shots": (Shot(start=1.0, prompt="mine"),)}
    needed = {name: (Message("user", "x"),) if name == "messages" else "x" for name in names & NEEDED}
    told = {name for name in names if "mine" in kind(**{**needed, name: given.get(name, "mine")}).texts()}
    assert told and told <= kind.CONTENT | kind.WORDS


def test_runs_that_are_compared_at_once_are_their_pages_too(
    add: Add, tmp_path: Path, visit: Callable[[str], None]
) -> None:
    history = History(Database(tmp_path / "state.sqlite"))
    engine = engine_for(add, Task.CHAT, history)
    VISITS.known("page-of-ada", "ada")
    visit("page-of-ada")

    def run() -> Iterator[SoFar]:
        end(engine, ask("Hi"))
        yield SoFar()

    list(at_once([run, run], SoFar()))
    assert len(history.of("ada")) == 2


ANOTHER = """
import sys
from pathlib import Path
from shared.settings import Secret
from shared.state.database import Database
from shared.state.history import History
kind, where = sys.argv[1:]
history = History(Database(url=Secret(where)) if kind == "url" else Database(Path(where)))
print(len(history.of("ada")))
history.add("ada", "text-to-image", {"seed": 7})
"""


def test_several_fronts_see_the_same(opened: Opener) -> None:
    database = opened()
    history = History(database)
    history.add("ada", "conversational", {"seed": 1})
    where = ("url", database._url.reveal()) if database._url else ("path", str(database.path))
    command = [sys.executable, "-c", ANOTHER, *where]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    assert told.stdout == "1\n" and [run.receipt["seed"] for run in history.of("ada")] == [7, 1]


def test_deleting_takes_what_is_still_being_written_and_leaves_others(opened: Opener) -> None:
    history = History(opened())
    assert history.forget("ada") == 0 == history.forget("")
    for owner in ("ada", "ada", "bob", owner_in_class("ada"), owner_in_class("eve")):
        history.add_soon(owner, "conversational", {})
    assert history.forget("ada") == 2
    assert [len(history.of(owner)) for owner in ("ada", "bob", owner_in_class("ada"))] == [0, 1, 1]
    assert history.forget_class() == 2 and len(history.of("bob")) == 1


def test_what_is_older_than_a_month_is_shown_no_more_and_goes_with_the_next_run_of_anybody(opened: Opener) -> None:
    database = opened()
    history = History(database)
    history.add("ada", "conversational", {})
    with database.writing() as connection:
        sql(connection, "UPDATE runs SET created = created - :month", month=KEPT + 60)
    assert history.of("ada") == []
    history.add("bob", "conversational", {})
    assert history.forget("ada") == 0 and len(history.of("bob")) == 1


def test_a_locked_database_holds_up_no_run(add: Add, opened: Opener) -> None:
    """The run ends while the lock is held; it is written down once that is let go."""
    database, history = opened(), History(opened())
    history.add("bob", "conversational", {})
    with database.writing() as connection:
        if database.shared:
            sql(connection, "LOCK TABLE runs IN ACCESS EXCLUSIVE MODE")
        end(engine_for(add, Task.CHAT, history), ask("Hi"), owner="ada")
    for written in set(history._waiting):
        written.result(LONG)
    assert len(history.of("ada")) == 1


def test_a_full_disk_breaks_no_run_and_is_told_without_what_was_written(
    add: Add, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    logger = logging.getLogger("shared.state.history")
    monkeypatch.setattr(logger, "disabled", False)  # engines that ran before may have silenced it
    caplog.set_level(logging.WARNING, logger.name)
    database = Database(tmp_path / "state.sqlite")
    history = History(database)
    history.add("ada", "conversational", {})
    with database.writing() as connection:
        full = "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
        connection.exec_driver_sql(f"CREATE TRIGGER full BEFORE INSERT ON runs {full}")
    assert end(engine_for(add, Task.CHAT, history), ask("a secret cat"), owner="ada")
    assert len(history.of("ada")) == 1  # and by then it is told
    assert "wasn't written" in caplog.text and "secret" not in caplog.text


def test_a_run_that_fails_says_how_and_one_that_stops_is_none_that_failed(add: Add, tmp_path: Path) -> None:
    history = History(Database(tmp_path / "state.sqlite"))
    engine = an_engine(a_variant(add(FakeBackend("one", run=fail(KeyRefused("P", "OPENAI_API_KEY"))))))
    engine.watchers = (Keeping(history),)
    with pytest.raises(KeyRefused):
        list(engine.generate("m", ask("Hi"), owner="ada"))
    (run,) = history.of("ada")
    shown = history_view.page([run], 0, {"conversational"})
    assert run.error == "key_refused" and "key refused" in shown and 'data-act="back' not in shown
    assert history_view.totals([run]).failed == 1


# How it looks


def a_run(number: int, **receipt: Any) -> Ran:
    told = {**RECEIPT, "seconds": {"total": 1.5}, "output_tokens": 4, "seed": number, **receipt}
    return Ran(f"id-{number}", told["task"], 1_000_000.0 + number, told, "", None)


def test_a_long_history_has_pages_and_what_all_took_together() -> None:
    runs = [a_run(number) for number in range(45)] + [a_run(99, mode="hosted", backend="openai", cost_note="unpriced")]
    sums = history_view.totals([*runs, a_run(100, mode="hosted", cost_usd=0.25)])
    assert (sums.runs, sums.seconds, sums.tokens, sums.cost_usd, sums.unpriced) == (47, 70.5, 188, 0.25, 1)
    first, last, beyond = (history_view.page(runs, number, {"conversational"}) for number in (0, 2, 99))
    assert "1 to 20 of 46" in first and first.count('data-act="back:') == 20 and "1 unpriced" in first
    assert "41 to 46 of 46" in last and last == beyond
    assert (
        'data-act="page:1"' in first
        and 'data-act="page:-1" disabled' in first
        and 'data-act="back' not in (history_view.page(runs, 0, set()))
    )


def test_what_a_run_is_called_is_shown_as_words_alone() -> None:
    shown = history_view.page([a_run(1, name="<img src=x>", model="=1+1")], 0, {"conversational"})
    assert "<img" not in shown and "&lt;img" in shown
    header, line = history_view.to_csv([a_run(1, model="=1+1")]).splitlines()
    assert header.startswith("when,task,model") and ",'=1+1," in line and ",by itself,1.5,4," in line


BOXES: Mapping[Task, Callable[[], RestoreBox]] = {
    Task.CHAT: chat_restore,
    Task.TEXT_TO_IMAGE: picture_restore,
    Task.TEXT_TO_SPEECH: speak_restore,
    Task.TEXT_TO_AUDIO: compose_restore,
    Task.TEXT_TO_SOUND: sound_restore,
    Task.TEXT_TO_VIDEO: clip_restore,
    Task.TEXT_TO_3D: solid_restore,
    Task.TEXT_TO_MOTION: motion_restore,
}


@pytest.mark.parametrize("task", BOXES, ids=str)
def test_a_runs_settings_go_back_into_the_box_of_its_task(task: Task) -> None:
    """Each box reads what the history holds, though it holds no words."""
    words = dict.fromkeys(KINDS[task].WORDS, "secret")
    run = a_run(41, task=str(task), settings={"guidance_scale": 2.5, "temperature": 0.5, **words})
    box = on_a_page(BOXES[task])
    end_of_address = fragment(run, box.name)
    name, how, packed = links.read(end_of_address)
    found = box._read(links.unpacked(packed))
    assert (name, how, found.model) == (box.name, "w", "m") and end_of_address != fragment(run, box.name)
    assert {2.5, "2.5", 0.5, "0.5"} & set(filter(lambda value: isinstance(value, str | float), found.values))
    assert not found.ignored and b"secret" not in links.unpacked(packed)


# The page and the API


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path)


def test_a_call_lists_and_deletes_the_callers_own(add: Add, settings: Settings) -> None:
    engine = an_engine(a_variant(add(FakeBackend("one"))), settings=settings)
    owner = on_a_page(lambda: Owner(engine))
    history, forget = listing(engine, owner), forgetting(engine, owner)
    token = history()["owner_token"]
    for _ in range(3):
        list(_chat(engine)("Hi", model="m", owner_token=token))
    list(_chat(engine)("Hi", model="m"))
    told = history(token, first=1, most=1)
    assert told["owner_token"] == token and told["totals"]["runs"] == 3 and len(told["runs"]) == 1
    assert told["runs"][0]["receipt"]["model"] == "m" and told["runs"][0]["prompt"] is None
    assert history()["runs"] == [] == history("forged.token")["runs"] and forget("forged.token") == {"forgotten": 0}
    assert forget(token) == {"forgotten": 3} and history(token)["runs"] == []


def test_the_tab_turns_saves_puts_back_and_deletes_only_what_is_ones_own(add: Add, settings: Settings) -> None:
    engine = an_engine(a_variant(add(FakeBackend("one"))), settings=settings)
    places = {"conversational": Place("restore", "chat")}
    owner, panel = on_a_page(lambda: ((own := Owner(engine)), RunsPanel(settings, own, places)))
    ada, bob = engine.jobs.owners.new(), engine.jobs.owners.new()
    history = history_of(settings)
    for number in range(25):
        history.add(owner.of(ada), "conversational", {**RECEIPT, "seed": number})
    assert "21 to 25 of 25" in panel._done("page:1", ada)[0] and "Nothing yet" in panel._page(bob)
    assert len(panel._done("csv", ada)[3].splitlines()) == 26
    mine = history.of(owner.of(ada))[0].id
    _, link, tabs, _ = panel._done(f"back:{mine}", ada)
    assert link.startswith("#restore=restore.w") and tabs.selected == "chat"
    assert "isn&#x27;t kept" in panel._done(f"back:{mine}", bob)[0]
    assert "Deleted: 0 run" in panel._done("delete", bob)[0] and len(history.of(owner.of(ada))) == 25
    assert "Deleted: 25 run" in panel._done("delete", ada)[0] and history.of(owner.of(ada)) == []
    for nonsense in ("", "page:x", "forget", None):
        assert len(panel._done(nonsense, ada)) == 4  # type: ignore[arg-type]


def test_a_database_out_of_reach_is_told_in_the_tab(add: Add, tmp_path: Path) -> None:
    engine = an_engine(a_variant(add(FakeBackend("one"))), settings=Settings(data_dir=tmp_path))
    panel = on_a_page(lambda: RunsPanel(engine.settings, Owner(engine), {}))
    panel._history = History(Away())
    token = engine.jobs.owners.new()
    assert "pg-error" in panel._page(token) and "pg-error" in panel._done("delete", token)[0]


def test_many_threads_lose_no_run(opened: Opener) -> None:
    history = History(opened())
    threads = [threading.Thread(target=lambda: [history.add_soon("ada", "t", {}) for _ in range(20)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for written in set(history._waiting):
        written.result(LONG)
    assert len(history.of("ada")) == 80
