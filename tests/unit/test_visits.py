"""Whose an open page is: told by one server, known by all that share the state, after a restart too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import gradio as gr
import pytest
from gradio.context import LocalContext

from shared.operation import whose
from shared.operation.keeping import Keeping
from shared.settings import Settings
from shared.state.database import Database, sql
from shared.state.history import History
from shared.state.visited import KEPT, Visited
from shared.ui import visits
from shared.ui.visits import ANEW, Visits, tell_owners
from tests.support.away import Away
from tests.support.fakes import FakeBackend, a_variant, an_engine, ask

Opener = Callable[[], Database]
Add = Callable[[FakeBackend], FakeBackend]


def a_server(opened: Opener, **how: object) -> Visits:
    """What a server that has just started knows of pages."""
    server = Visits(**how)  # type: ignore[arg-type]
    server.keep_in(Visited(opened()))
    return server


@pytest.fixture
def visit() -> Iterator[Callable[[Visits, str], None]]:
    """Has a server answer the requests of a page, by its session, in this thread."""

    def answer(server: Visits, session: str) -> None:
        whose.read_by(visits._page, server.of)
        LocalContext.request.set(gr.Request(session_hash=session))

    try:
        yield answer
    finally:
        LocalContext.request.set(None)
        whose.read_by(lambda: "", lambda page: "")


def test_a_pages_history_goes_on_after_a_restart_and_at_another_server(
    add: Add, opened: Opener, visit: Callable[[Visits, str], None]
) -> None:
    engine, history = an_engine(a_variant(add(FakeBackend("one")))), History(opened())
    engine.watchers = (Keeping(history),)
    first = a_server(opened)
    first.known("page-of-ada", "ada")
    for server in (first, a_server(opened), a_server(opened)):
        visit(server, "page-of-ada")
        list(engine.generate("m", ask("Hi")))
        visit(server, "page-of-nobody")
        list(engine.generate("m", ask("Hi")))
    assert len(history.of("ada")) == 3 and history.of("") == []


def test_a_page_that_nobody_told_of_is_nobodys(opened: Opener) -> None:
    first, second = a_server(opened), a_server(opened)
    first.known("page-of-ada", "ada")
    first.known("page-of-bob", "bob")
    with opened().reading() as connection:
        kept = sql(connection, "SELECT page, owner FROM visits").all()
    assert len(kept) == 2 and "page-of" not in str(kept)
    for forged in ("", None, "page-of-eve", "page-of-ada ", "%", *(row.page for row in kept)):
        assert second.of(forged) == ""
    assert (second.of("page-of-ada"), second.of("page-of-bob")) == ("ada", "bob")


def test_a_page_that_is_left_is_forgotten_and_one_that_is_used_is_not(opened: Opener) -> None:
    now = 0.0
    first = a_server(opened, clock=lambda: now)
    for name in ("used", "left"):
        first.known(name, "ada")

    def goes_by(seconds: float) -> None:
        nonlocal now
        now += seconds
        with opened().writing() as connection:
            sql(connection, "UPDATE visits SET seen = seen - :by", by=seconds)

    goes_by(ANEW + 60)
    assert first.of("used") == "ada"
    goes_by(KEPT - ANEW)
    second = a_server(opened)
    assert (second.of("used"), second.of("left")) == ("ada", "")
    goes_by(ANEW)
    assert a_server(opened).of("used") == "ada"  # the second server wrote it down again
    with opened().reading() as connection:
        assert sql(connection, "SELECT COUNT(*) FROM visits").scalar_one() == 1


def test_of_too_many_pages_the_oldest_go(opened: Opener) -> None:
    kept = Visited(opened(), most=3)
    for number in range(6):
        kept.add(f"page-{number}", "ada")
        with opened().writing() as connection:  # as if a while went by
            sql(connection, "UPDATE visits SET seen = seen - 60")
    assert [kept.of(f"page-{number}") for number in range(6)] == [""] * 3 + ["ada"] * 3


def test_without_a_state_a_server_knows_its_own_pages() -> None:
    server = Visits()
    server.keep_in(Visited(Away()))
    server.known("page-of-ada", "ada")
    assert (server.of("page-of-ada"), server.of("page-of-bob")) == ("ada", "")


def test_a_class_writes_no_pages_down(tmp_path: Path) -> None:
    """A run there is the person's; two hundred pages that open at once would all be written down."""
    server = Visits()
    try:
        tell_owners(Settings(data_dir=tmp_path / "class", classroom=True), server)
        server.known("page-of-ada", "ada")
        assert not (tmp_path / "class").exists()
        tell_owners(Settings(data_dir=tmp_path / "own"), server)
        server.known("page-of-ada", "ada")
        assert (tmp_path / "own").exists()
    finally:
        whose.read_by(lambda: "", lambda page: "")
