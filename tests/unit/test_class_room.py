"""The room of a class: who gets in, who they are after a restart, and what the teacher set. On both databases."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.classroom import codes, names
from shared.classroom.codes import Slowing
from shared.classroom.desk import Class, passphrase
from shared.classroom.made import Made
from shared.classroom.room import HERE, Room
from shared.classroom.works import MOST_EACH, State, Works
from shared.errors import InvalidRequest
from shared.settings import Secret, Settings
from shared.state.database import Database
from tests.support.postgres import Postgres

Opener = Callable[[], Database]
DAY = 86_400.0


def room_of(opened: Opener, folder: Path) -> Room:
    return Room(Settings(data_dir=folder), opened())


def test_a_code_lets_in_and_the_same_person_comes_back_after_a_restart(opened: Opener, tmp_path: Path) -> None:
    room = room_of(opened, tmp_path)
    token = room.join(f" {room.facts.code.lower()[:3]}-{room.facts.code.lower()[3:]} ", "Ada")
    again = room_of(opened, tmp_path)  # another server, or the same after it was ended
    person = again.person(token)
    assert person is not None and person.name == "Ada" and again.facts.code == room.facts.code


def test_one_persons_works_take_nobody_elses_room(opened: Opener, tmp_path: Path) -> None:
    works = Works(opened(), tmp_path / "works", most_all=1000)

    def add(person: str, size: int, state: State = "waiting") -> str:
        return works.add(person, "t", "p", {}, Made(b"x" * size, "text/plain", ".txt"), state)

    greedy = [add("greedy", 100) for _ in range(12)]
    assert all(greedy) and works.size() == 1000 and works.get(greedy[1]) is None  # theirs make way for theirs
    modest = add("modest", 100)
    assert modest and works.get(modest) and works.get(greedy[2]) is None
    assert add("greedy", 100) and works.get(modest)
    for _ in range(MOST_EACH + 5):
        add("flood", 1, "shown")
    assert len(works.all("shown", person="flood", most=1000)) == MOST_EACH


def test_a_wrong_code_a_forged_token_and_a_removed_person_are_nobody(opened: Opener, tmp_path: Path) -> None:
    room = room_of(opened, tmp_path)
    with pytest.raises(InvalidRequest, match="isn't the code"):
        room.join("AAAAAA" if room.facts.code != "AAAAAA" else "BBBBBB", "x")
    token = room.join(room.facts.code, "Bob")
    name, _, signature = token.partition(".")
    for forged in ("", None, "x.y", f"{name}.{'0' * len(signature)}", f"{name}x.{signature}", name, 17, "é.ß"):
        assert room.person(forged) is None
    assert room_of(opened, tmp_path / "other").person("a.b") is None
    person = room.person(token)
    assert person is not None
    room.mark(person.id, removed=True)
    assert room.person(token) is None and room.people == []


def test_nothing_is_the_code_of_a_room_that_has_none() -> None:
    assert not codes.same("", "") and not codes.same("", " - ") and codes.same("ABC346", "abc-346")


def test_who_joins_again_and_again_keeps_nobody_out(opened: Opener, tmp_path: Path) -> None:
    room = Room(Settings(data_dir=tmp_path), opened(), most=3, newcomer=0.0)
    ada = room.join(room.facts.code, "Ada")
    assert room.person(ada)  # her page asks
    for _ in range(5):
        room.join(room.facts.code, "ghost")
    bob = room.join(room.facts.code, "Bob")
    assert room.person(bob) and room.person(ada) and len(room_of(opened, tmp_path).people) == 3
    cem = room.join(room.facts.code, "Cem")
    assert room.person(cem)
    with pytest.raises(InvalidRequest, match="full"):  # of people who are there
        room.join(room.facts.code, "Dan")


def test_a_new_code_keeps_those_who_are_in(opened: Opener, tmp_path: Path) -> None:
    room = room_of(opened, tmp_path)
    old, token = room.facts.code, room.join(room.facts.code, "Ada")
    assert room.new_code() != old and room.person(token) is not None
    with pytest.raises(InvalidRequest):
        room.join(old, "late")
    room.set(open=False)
    with pytest.raises(InvalidRequest, match="nobody in"):
        room.join(room.facts.code, "late")


def test_names_are_cleaned_and_no_two_are_the_same(opened: Opener, tmp_path: Path) -> None:
    room = room_of(opened, tmp_path)
    for typed in ("Ada", "Ada", "", "  a\u202eb\x00\n c ", "x" * 500):
        room.join(room.facts.code, typed)
    found = [p.name for p in room.people]
    assert len(set(found)) == 5 and {"Ada", "Ada 2", "ab c"} <= set(found)
    assert max(map(len, found)) <= names.LONGEST


def test_a_teacher_is_one_at_every_server_of_a_class_and_a_student_at_none(
    postgresql: Postgres, tmp_path: Path
) -> None:
    url = Secret(postgresql.new_database())
    one, two = (Class(Settings(data_dir=tmp_path / name, database_url=url), "open-sesame") for name in ("one", "two"))
    token = one.teach("open-sesame")
    assert token and two.is_teacher(token)
    student, stamp = one.room.join(one.room.facts.code, "Ada"), token.rpartition(".")[2]
    assert two.room.person(student) and not two.is_teacher(f"{student}.{stamp}")


def test_what_the_teacher_sets_is_seen_by_every_server(opened: Opener, tmp_path: Path) -> None:
    one, two = room_of(opened, tmp_path), room_of(opened, tmp_path)
    before = two.seen.version
    one.set(paused=True, blocked=("word",), parameters={"temperature": 0.2})
    two.forget()
    assert two.facts.paused and two.facts.blocked == ("word",) and two.facts.parameters == {"temperature": 0.2}
    assert two.seen.version != before
    two.set(paused=False)
    one.forget()
    assert not one.facts.paused and one.facts.blocked == ("word",)


def test_deleting_all_leaves_nobody(tmp_path: Path) -> None:
    room = Class(Settings(data_dir=tmp_path), "phrase")
    token = room.room.join(room.room.facts.code, "Ada")
    room.delete_all()
    assert room.room.person(token) is None and room.room.people == []


def test_wrong_codes_are_slowed_together_and_a_right_one_never(tmp_path: Path) -> None:
    slowing = Slowing()
    waits = [slowing.wrong() for _ in range(10_000)]
    assert waits[:5] == [0.0] * 5 and waits[-1] == codes.SLOWEST
    room = Room(Settings(data_dir=tmp_path))
    began = time.monotonic()
    assert room.join(room.facts.code, "Ada")  # nothing of that holds up who knows the code
    assert time.monotonic() - began < codes.SLOWEST


class Clock:
    """One that somebody sets, or that only goes on."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def test_wrong_codes_are_forgotten_with_time() -> None:
    clock = Clock(0.0)
    slowing = Slowing(clock)
    assert [slowing.wrong() for _ in range(100)][-1] == codes.SLOWEST
    assert slowing.lately() == 100
    clock.now += codes.MINUTE / 2
    slowing.wrong()
    clock.now += codes.MINUTE / 2
    assert slowing.lately() == 1
    clock.now += codes.FORGIVEN * 100
    assert slowing.lately() == 0 and slowing.wrong() == 0.0


def test_a_clock_that_is_set_throws_nobody_out_and_makes_no_new_work_an_old_one(opened: Opener, tmp_path: Path) -> None:
    wall, going = Clock(1_700_000_000.0), Clock(50.0)
    room = Room(Settings(data_dir=tmp_path), opened(), clock=going)
    works = Works(opened(), tmp_path / "works", clock=wall)
    token = room.join(room.facts.code, "Ada")
    ada = room.person(token)
    assert ada is not None
    made = []
    for jump in (0.0, 30 * DAY, -400 * DAY, 400 * DAY, -31 * DAY):
        wall.now += jump
        made.append(works.add(ada.id, "chat", f"after {jump}", {}, Made(b"x", "text/plain", ".txt"), "waiting"))
        assert room.person(token) == ada and room.is_here(ada.id)
    assert [work.id for work in works.all()] == made[::-1]
    for _ in range(MOST_EACH):  # the oldest go, and not those that were made while the clock was behind
        last = works.add(ada.id, "chat", "one more", {}, Made(b"x", "text/plain", ".txt"), "waiting")
    assert works.all()[0].id == last and not {work.id for work in works.all()} & set(made)


def test_who_was_not_heard_of_for_a_while_is_away(tmp_path: Path) -> None:
    clock = Clock(0.0)
    room = Room(Settings(data_dir=tmp_path), clock=clock)
    ada = room.person(room.join(room.facts.code, "Ada"))
    assert ada is not None and room.is_here(ada.id) and not room.is_here("nobody")
    clock.now += HERE + 1
    assert not room.is_here(ada.id)


def test_only_the_phrase_makes_a_teacher_and_another_start_with_another_phrase_ends_that(tmp_path: Path) -> None:
    phrase = passphrase()
    room = Class(Settings(data_dir=tmp_path), phrase)
    assert room.teach("wrong") is None
    token = room.teach(f" {phrase.upper()} ")
    assert token is not None and room.is_teacher(token)
    signed, _, stamp = token.rpartition(".")
    assert not any(map(room.is_teacher, ("", None, signed, f"{signed}.{'0' * len(stamp)}", f"x.y.{stamp}")))
    assert not Class(Settings(data_dir=tmp_path), "another").is_teacher(token)
    assert Class(Settings(data_dir=tmp_path), phrase).is_teacher(token)
