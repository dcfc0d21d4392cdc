"""A class around the engine: the teacher's rules, budgets of each and of all, and what is kept of a run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shared.backends.base import Outcome, Usage
from shared.classroom import identity
from shared.classroom.desk import EVERYBODY, Class, own
from shared.classroom.going import Going
from shared.classroom.room import Facts, Person
from shared.classroom.rules import MUTED, check, settled
from shared.classroom.watching import class_watchers
from shared.engine import Engine
from shared.errors import InferenceError, InvalidRequest, LimitReached
from shared.events import Final, Partial, Progress
from shared.operation.keeping import Keeping
from shared.pricing import Cost
from shared.requests import ChatRequest, Message, Request, VideoRequest
from shared.settings import Settings
from shared.state.history import history_of, owner_in_class
from shared.state.ledger import BudgetSpent, Unit
from shared.streaming import Emit
from tests.support.fakes import FakeBackend, a_variant, an_engine, ask, fail, say

Add = Callable[[FakeBackend], FakeBackend]
LONG = 30


@pytest.fixture
def room(tmp_path: Path) -> Class:
    return Class(Settings(data_dir=tmp_path), "phrase")


@pytest.fixture(autouse=True)
def cookies() -> Iterator[dict[str, str]]:
    """Who asks, as a screen would tell."""
    jar: dict[str, str] = {}
    identity.read_by(lambda name: jar.get(name, ""))
    yield jar
    identity.read_by(lambda name: "")


def joined(room: Class, cookies: dict[str, str], name: str = "Ada") -> str:
    """Somebody joins, and asks from now on; returns their id."""
    cookies[identity.COOKIE] = room.room.join(room.room.facts.code, name)
    person = room.room.person(cookies[identity.COOKIE])
    assert person is not None
    return person.id


def engine_of(room: Class, add: Add, backend: FakeBackend) -> Engine:
    engine = an_engine(a_variant(add(backend)), settings=room.settings)
    engine.watchers = class_watchers(room)
    return engine


def end(engine: Engine, *words: str, **how: object) -> Final | InferenceError:
    try:
        return list(engine.generate("m", ask(*words, **how)))[-1]  # type: ignore[return-value]
    except InferenceError as error:
        return error


def balance(room: Class, account: str, unit: Unit) -> tuple[float, float]:
    """Spent and reserved."""
    (found,) = [b for b in room.ledger.balances(account) if b.unit == unit]
    return found.spent, found.reserved


def test_who_has_not_joined_runs_nothing(room: Class, add: Add, cookies: dict[str, str]) -> None:
    backend = FakeBackend("one")
    engine = engine_of(room, add, backend)
    error = end(engine)
    assert isinstance(error, InvalidRequest) and "/join" in str(error) and not backend.models
    joined(room, cookies)
    assert isinstance(end(engine), Final)


@pytest.mark.parametrize(
    ("facts", "kind", "words"),
    [
        ({"frozen": True}, LimitReached, "frozen"),
        ({"models": ("other",)}, InvalidRequest, "only these models may be used just now: other."),
        ({"parameters": {"temperature": 0.2}}, InvalidRequest, "temperature to 0.2"),
        ({"blocked": ("Hi",)}, InvalidRequest, 'word "Hi"'),
    ],
)
def test_what_the_teacher_forbids_is_refused_and_said(
    room: Class, add: Add, cookies: dict[str, str], facts: dict[str, object], kind: type, words: str
) -> None:
    engine = engine_of(room, add, FakeBackend("one"))
    joined(room, cookies)
    room.room.set(**facts)
    error = end(engine, "hi there", temperature=0.9)
    assert isinstance(error, kind) and words in str(error)


def test_a_word_is_blocked_as_a_word_and_a_set_value_may_be_asked_for(
    room: Class, add: Add, cookies: dict[str, str]
) -> None:
    engine = engine_of(room, add, FakeBackend("one"))
    joined(room, cookies)
    room.room.set(blocked=("hi",), parameters={"temperature": 0.2})
    assert isinstance(end(engine, "this ship", temperature=0.2), Final)


def test_what_the_teacher_set_holds_also_where_it_is_left_open(room: Class, add: Add, cookies: dict[str, str]) -> None:
    engine = engine_of(room, add, FakeBackend("one"))
    joined(room, cookies)
    room.room.set(parameters={"temperature": 0.2, "no_such": 3, "messages": ()})
    final = end(engine)
    assert isinstance(final, Final) and final.receipt.settings["temperature"] == 0.2
    room.room.set(parameters={"temperature": "hot"})
    error = end(engine)
    assert isinstance(error, InvalidRequest) and "temperature=hot" in str(error)


def test_a_setting_that_says_the_same_otherwise_is_no_way_round_what_the_teacher_set() -> None:
    ada = Person(id="a", name="Ada", joined=0.0)
    facts = Facts(parameters={"duration": 2.0})
    assert check(facts, ada, "m", VideoRequest(prompt="x", duration=2.0)) is ada
    assert settled(facts, VideoRequest(prompt="x")) == VideoRequest(prompt="x", duration=2.0)
    for duration in (None, 2.0):
        with pytest.raises(InvalidRequest, match="duration"):
            check(facts, ada, "m", VideoRequest(prompt="x", duration=duration, num_frames=960))


def test_a_model_of_the_hub_is_fetched_only_where_the_teacher_lists_it() -> None:
    """Any student could else fill the disk that all share."""
    ada, asked = Person(id="a", name="Ada", joined=0.0), ChatRequest(messages=(Message("user", "hi"),))
    with pytest.raises(InvalidRequest, match="listed models"):
        check(Facts(), ada, "owner/huge", asked, here=True)
    assert check(Facts(models=("owner/huge",)), ada, "owner/huge", asked, here=True) is ada
    assert check(Facts(), ada, "fal:owner/model", asked) is ada


def test_a_run_is_ended_when_its_person_is_muted_or_has_the_engine_for_too_long(
    room: Class, add: Add, cookies: dict[str, str]
) -> None:
    def long(request: Request, emit: Emit) -> Outcome:
        for _ in range(LONG * 100):
            emit(Partial("word "))
            time.sleep(0.01)
        raise AssertionError("nobody ended it")

    backend = FakeBackend("one", run=long)
    engine = engine_of(room, add, backend)
    ada = joined(room, cookies)

    def ended(how: Callable[[], object]) -> str:
        told: list[str] = []
        try:
            for event in engine.generate("m", ask("go on")):
                if isinstance(event, Partial) and not told:
                    told.append("began")
                    how()
        except LimitReached as error:
            assert error.partial is not None
            return str(error)
        return "it went on"

    assert "muted you" in ended(lambda: room.going.end_all(ada, MUTED))
    room.going = Going(longest=0.0)
    assert "others waited" in ended(lambda: room.going.end_long("machine"))


def test_the_teacher_is_bound_by_no_rule(room: Class, add: Add, cookies: dict[str, str]) -> None:
    cookies[identity.TEACHER_COOKIE] = room.teach("phrase") or ""
    room.room.set(frozen=True, models=("other",))
    assert isinstance(end(engine_of(room, add, FakeBackend("one"))), Final)


def test_a_person_and_the_class_pay_and_a_cap_stops_before_it_is_passed(
    room: Class, add: Add, cookies: dict[str, str]
) -> None:
    priced = say("x", usage=Usage(input_tokens=3, output_tokens=2), facts={"cost": Cost(0.4, "list price")})
    engine = engine_of(room, add, FakeBackend("two", hosted=True, run=priced))
    ada = joined(room, cookies)
    room.room.set(caps={"money": 1.2}, own={"money": 0.6})
    assert isinstance(end(engine), Final)
    assert balance(room, own(ada), Unit.MONEY) == (0.4, 0) == balance(room, EVERYBODY, Unit.MONEY)
    assert isinstance(end(engine), BudgetSpent)  # 0.5 may be needed, 0.2 are left of her own
    joined(room, cookies, "Bob")
    assert isinstance(end(engine), Final)
    joined(room, cookies, "Cleo")
    assert isinstance(end(engine), BudgetSpent)  # of everybody's 1.2 only 0.4 are left
    assert balance(room, EVERYBODY, Unit.MONEY) == (0.8, 0)


def test_in_a_class_a_history_is_the_persons_and_not_the_browsers(
    room: Class, add: Add, cookies: dict[str, str]
) -> None:
    history = history_of(room.settings)
    engine = engine_of(room, add, FakeBackend("one"))
    engine.watchers = (Keeping(history), *engine.watchers)
    people = [joined(room, cookies, name) for name in ("Ada", "Bob")]
    list(engine.generate("m", ask(), owner="the browser"))
    assert [len(history.of(owner_in_class(person))) for person in people] == [0, 1] and not history.of("the browser")
    room.delete_all()
    assert history.of(owner_in_class(people[1])) == []


def test_a_run_that_fails_is_given_back_once(room: Class, add: Add, cookies: dict[str, str]) -> None:
    engine = engine_of(room, add, FakeBackend("one", run=fail(InvalidRequest("no"))))
    ada = joined(room, cookies)
    room.room.set(own={"tokens": 100_000})
    assert isinstance(end(engine), InvalidRequest)
    assert balance(room, own(ada), Unit.TOKENS) == (0, 0)


def test_a_pause_holds_runs_and_tells_why(room: Class, add: Add, cookies: dict[str, str]) -> None:
    engine = engine_of(room, add, FakeBackend("one"))
    joined(room, cookies)
    room.room.set(paused=True)
    told: list[str] = []
    heard, over = threading.Event(), threading.Event()
    finals: list[Final] = []

    def go() -> None:
        for event in engine.generate("m", ask()):
            finals.extend([event] if isinstance(event, Final) else [])
            if isinstance(event, Progress) and "paused" in event.message:
                told.append(event.message)
                heard.set()
        over.set()

    threading.Thread(target=go, daemon=True).start()
    assert heard.wait(LONG) and not over.is_set()
    time.sleep(0.3)
    room.room.set(paused=False)
    assert over.wait(LONG)
    assert finals[0].receipt.seconds.queue >= 0.3  # the receipt tells it, and it is none of the engine's
    assert finals[0].receipt.seconds.total >= finals[0].receipt.seconds.queue


def test_what_came_waits_for_the_teacher_or_hangs_at_once(room: Class, add: Add, cookies: dict[str, str]) -> None:
    engine = engine_of(room, add, FakeBackend("one", run=say("An ", "answer")))
    ada = joined(room, cookies)
    end(engine, "What?", "That.", "And now?")
    (work,) = soon(lambda: room.works.all())
    assert (work.person, work.state, work.prompt, work.media_type) == (ada, "waiting", "And now?", "text/plain")
    assert room.works.read(work) == b"An answer" and work.receipt["model"] == "m"
    room.room.set(approving=False)
    end(engine)
    assert [w.state for w in soon(lambda: room.works.all("shown"))] == ["shown"]


def soon(look: Callable[[], list]) -> list:  # type: ignore[type-arg]
    """What is found once there is something: it is kept after the run has ended."""
    end = time.monotonic() + LONG
    while not (found := look()) and time.monotonic() < end:
        time.sleep(0.02)
    return found
