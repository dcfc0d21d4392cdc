"""What is written down of jobs at providers, who may see it, and what is agreed to before one is sent."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from shared.errors import BackendError, InvalidRequest, UnknownJob
from shared.jobs.contents import read_output, read_request, written_output, written_request
from shared.jobs.desk import Jobs
from shared.jobs.job import Job
from shared.jobs.owners import Owners
from shared.jobs.store import KEPT, LOST, JobStore
from shared.jobs.taking_over import OLD, TAKEN
from shared.outputs import VideoOutput
from shared.pricing import by_the_second
from shared.quoting import Quote, agree
from shared.requests import ImagePart, Shot, VideoRequest
from shared.state.database import Database
from shared.streaming import CancelToken
from shared.tasks import Task


def a_job(**fields: Any) -> Job:
    now = time.time()
    given = {
        "id": "one", "owner": "me", "task": Task.TEXT_TO_VIDEO, "model": "m", "name": "M", "variant": "v",
        "provider": "Runway", "created": now, "updated": now, "request": {"prompt": "a ball", "seed": 3},
    }  # fmt: skip
    return Job(**{**given, **fields})


@pytest.fixture
def stores(opened: Callable[[], Database], tmp_path: Path) -> Callable[[], JobStore]:
    """Makes the store of one server of several, on each kind of database."""
    return lambda: JobStore(tmp_path, opened())


def test_a_job_comes_back_as_it_was_from_another_process_too(stores: Callable[[], JobStore], tmp_path: Path) -> None:
    store, job = stores(), a_job(quoted_usd=0.6)
    assert store.get("one") is None and not list(tmp_path.iterdir())  # looking makes nothing
    store.add(job)
    changed = store.change(job, state="running", upstream="abc")
    assert stores().get("one") == changed and changed.updated >= job.updated
    assert stores().of("me") == [changed] and store.of("") == [] and store.of("you") == []


def test_a_job_is_never_added_twice(stores: Callable[[], JobStore]) -> None:
    store = stores()
    store.add(a_job())
    with pytest.raises(IntegrityError):
        store.add(a_job(owner="you"))


def test_nobody_else_on_the_machine_reads_it(tmp_path: Path) -> None:
    store = JobStore(tmp_path / "jobs")
    store.add(a_job())
    store.write(a_job(), b"clip", ".mp4")
    if os.name == "posix":
        assert all(stat.S_IMODE(path.stat().st_mode) & 0o077 == 0 for path in (tmp_path / "jobs").iterdir())


def test_what_was_being_sent_when_the_server_ended_is_told_of(stores: Callable[[], JobStore], tmp_path: Path) -> None:
    store = stores()
    store.add(a_job(updated=time.time() - LOST - 1))
    found = store.get("one")
    assert found is not None and found.state == "unsure" and "wasn't sent again" in found.note
    with pytest.raises(InvalidRequest, match="account there"):
        Jobs(tmp_path).to_resume(found)


def test_old_jobs_and_forgotten_ones_go_with_their_files(stores: Callable[[], JobStore]) -> None:
    store = stores()
    for name, age in (("old", KEPT + 1), ("new", 0.0)):
        job = a_job(id=name, updated=time.time() - age)
        store.add(replace(job, file=store.write(job, b"clip", ".mp4")))
    store.add(a_job(id="another"))
    assert {job.id for job in store.of("me")} == {"new", "another"}
    new = store.get("new")
    assert new is not None and stores().read(new) == b"clip"
    store.forget("new")
    assert store.read(new) is None and store.get("new") is None


def test_the_oldest_results_go_when_there_is_no_room(stores: Callable[[], JobStore]) -> None:
    store = stores()
    store.add(a_job(id="pending", state="running"))
    for number in range(3):
        job = a_job(id=f"n{number}", updated=time.time() + number)
        store.add(job)
        store.change(job, state="done", file=store.write(job, bytes(100_000), ".mp4"))
    store.room = 250_000
    store.write(a_job(id="n3"), bytes(100_000), ".mp4")
    assert {job.id for job in store.of("me")} == {"pending", "n2"}


def test_what_an_earlier_version_kept_is_taken_over_once(stores: Callable[[], JobStore], tmp_path: Path) -> None:
    names = [field.name for field in fields(Job)]
    job = a_job(state="done", file="one.mp4", result={"width": 8})
    values = [json.dumps(value) if isinstance(value, dict) else value for value in asdict(job).values()]
    with closing(sqlite3.connect(tmp_path / OLD)) as old, old:
        old.execute(f"CREATE TABLE jobs ({', '.join(names)})")
        old.execute(f"INSERT INTO jobs VALUES ({', '.join('?' * len(names))})", values)
    (tmp_path / "one.mp4").write_bytes(b"clip")
    assert stores().of("me") == [job] and stores().read(job) == b"clip"
    assert not (tmp_path / OLD).exists() and (tmp_path / TAKEN).exists()
    stores().forget("one")
    assert stores().of("me") == []  # and doesn't come back


def test_an_old_file_that_cant_be_read_hinders_nobody(stores: Callable[[], JobStore], tmp_path: Path) -> None:
    (tmp_path / OLD).write_bytes(b"no database" * 100)
    stores().add(a_job())
    assert stores().get("one") is not None


def test_where_nothing_can_be_written_no_job_is_sent_and_the_page_still_opens(tmp_path: Path) -> None:
    blocked = tmp_path / "a file"
    blocked.write_bytes(b"")
    with pytest.raises(BackendError, match="PLAYGROUND_DATA"):
        JobStore(blocked).add(a_job())
    owners = Owners(blocked)
    assert owners.owner(owners.new())


def test_a_token_is_read_only_if_this_server_gave_it_out(tmp_path: Path) -> None:
    owners, token = Owners(tmp_path), Owners(tmp_path).new()
    owner = owners.owner(token)
    assert owner and owner not in token and owner == Owners(tmp_path).owner(token)
    assert owners.owner(Owners(tmp_path / "other").new()) == ""
    for wrong in ("", None, "name", token + "0", "." + token, token.partition(".")[0] + ".", 7, {}):
        assert owners.owner(wrong) == "", wrong
    assert owners.owner(owners.new()) != owner


def test_only_the_owner_finds_a_job(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path)
    jobs.store.add(a_job())
    assert jobs.find("one", "me").id == jobs.find("one").id
    for asked in (("one", "you"), ("two", "me"), ("one", "")):
        with pytest.raises(UnknownJob):
            jobs.find(*asked)


def test_a_request_comes_back_but_for_its_pictures() -> None:
    picture = ImagePart(b"x", "image/png")
    request = VideoRequest(prompt="a", image=picture, seed=3, duration=4.0, shots=(Shot(start=1.0, prompt="b"),))
    written = written_request(request)
    assert "image" not in written
    assert read_request(Task.TEXT_TO_VIDEO, {**written, "of_a_later_version": 1}) == replace(request, image=None)


def test_an_output_comes_back() -> None:
    output = VideoOutput(video=b"clip", media_type="video/webm", width=8, height=6, num_frames=4, fps=2.0)
    facts, data, suffix = written_output(Task.TEXT_TO_VIDEO, output)
    assert suffix == ".webm" and read_output(Task.TEXT_TO_VIDEO, facts, data) == output


def test_a_cost_is_agreed_to_by_word_or_by_a_limit() -> None:
    priced, unpriced = Quote(0.6, 40.0, "list price", asks=True), Quote(None, None, "unpriced", asks=True)
    agree(Quote(None, None, "no charge"))
    agree(priced, agree_to_cost=True)
    agree(unpriced, agree_to_cost=True)
    agree(priced, max_cost_usd=0.6)
    for quoted, limit, words in (
        (priced, None, "agree_to_cost"),
        (priced, 0.5, "more than"),
        (unpriced, 9.0, "No price"),
    ):
        with pytest.raises(InvalidRequest, match=words):
            agree(quoted, max_cost_usd=limit)
    assert "$0.60" in priced.words and "40 seconds" in priced.words and "isn't known" in unpriced.words


def test_prices_by_the_second_say_where_they_come_from() -> None:
    cost = by_the_second("runway", "gen4.5", 5.0)
    assert cost.usd == pytest.approx(0.6) and "https://" in cost.note and "2026" in cost.note
    for unknown in (
        ("runway", "gen9", 5.0, ""),
        ("google", "gemini-omni-1.1-flash", 5.0, "4k"),
        ("runway", "gen4.5", None, ""),
    ):
        assert by_the_second(*unknown).usd is None and "unpriced" in by_the_second(*unknown).note


def test_leaving_is_no_stop() -> None:
    left, stopped, both = CancelToken(), CancelToken(), CancelToken()
    left.leave()
    left.leave()
    stopped.cancel()
    both.cancel()
    both.leave()
    assert [(t.cancelled, t.stopped) for t in (left, stopped, both)] == [(True, False), (True, True), (True, True)]
