"""Storyboards by a provider: their cost known before, each shot paid once, and kept whatever becomes of the others."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.errors import InvalidRequest, ProviderError, UnknownJob
from shared.jobs.job import Job
from shared.quoting import Quote, together
from shared.streaming import CancelToken
from shared.video.reading import measure
from shared.video.shooting import TASK, Shooting, Storyboards
from shared.video.storyboard import Board
from tests.support.fake_server import Act, serving
from tests.support.hosted_video import OWNER, Filming, filming
from tests.support.moderation import asked_of, by_word
from tests.support.protocols_stories import Shots
from tests.support.protocols_video import FAILED, FPS, FRAMES, WORKING

LINES = ("a ball rolls", "a ball falls", "a ball rests")


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Filming]:
    with filming(Shots(), tmp_path, safety="off") as made:
        yield made


def board(case: Filming, **more: object) -> Board:
    given = {"lines": LINES, "model": case.dialect.model, "mode": "hosted", "settings": {"duration": 5.0}, **more}
    return Board(**given)  # type: ignore[arg-type]


def opened(case: Filming, **more: object) -> tuple[Storyboards, Job]:
    boards = Storyboards(case.engine)
    return boards, boards.open(board(case, **more), OWNER, 1.8)


def shot(boards: Storyboards, row: Job, case: Filming, cancel: CancelToken | None = None) -> Shooting:
    *_, last = boards.shoot(boards.find(row.id, OWNER), case.settings, cancel or CancelToken())
    return last


def test_the_whole_cost_is_known_before_and_a_shot_that_cant_be_made_is_told_first(case: Filming) -> None:
    boards = Storyboards(case.engine)
    quoted = boards.quote(board(case), case.settings)
    assert quoted is not None and quoted.asks and quoted.usd == pytest.approx(1.8) and "3 runs of $0.60" in quoted.words
    with pytest.raises(InvalidRequest, match="characters"):
        boards.quote(board(case, lines=("short", "long " * 400)), case.settings)
    with pytest.raises(InvalidRequest, match="1 to 12 shots"):
        board(case, lines=())
    assert not case.provider.sent


def test_three_shots_are_three_jobs_and_one_film_with_what_they_cost_together(case: Filming) -> None:
    boards, row = opened(case, transition="cut")
    last = shot(boards, row, case)
    assert last.film is not None and not last.words
    known = measure(last.film.output.video)
    assert known.num_frames == 3 * FRAMES and last.film.receipt.cost_usd == pytest.approx(1.8)
    assert [each.prompt for each in last.film.request.shots] == ["a ball falls", "a ball rests"]
    assert last.film.request.shots[0].start == pytest.approx(FRAMES / FPS, abs=0.01)
    assert sorted(case.dialect.prompts) == sorted(LINES) and len(case.provider.sent) == 3
    again = shot(boards, row, case)
    assert again.film is not None and again.film.output.video == last.film.output.video
    assert boards.quote(board(case), case.settings, boards.find(row.id, OWNER)) is None
    assert len(case.provider.sent) == 3 and len(case.engine.jobs.of(OWNER, "text-to-video")) == 3


def test_a_restart_in_between_sends_nothing_twice(case: Filming) -> None:
    case.dialect.states.update(dict.fromkeys(LINES, WORKING))
    boards, row = opened(case)
    going = boards.shoot(row, case.settings, CancelToken())
    for _ in going:
        if len(case.provider.looks) > 6:
            break
    going.close()  # type: ignore[attr-defined]
    assert not case.provider.called_off
    later = case.again()
    case.dialect.states.clear()
    boards = Storyboards(later.engine)
    assert boards.quote(board(case), later.settings, boards.find(row.id, OWNER)) is None
    assert shot(boards, row, later).film is not None
    assert len(case.provider.sent) == 3 and [each.task for each in boards.of(OWNER)] == [TASK]


def test_a_shot_that_fails_leaves_the_others_and_is_the_only_one_paid_when_it_is_gone_on_with(case: Filming) -> None:
    case.dialect.states["a ball falls"] = FAILED
    boards, row = opened(case, transition="cut")
    last = shot(boards, row, case)
    assert last.film is not None and measure(last.film.output.video).num_frames == 2 * FRAMES
    assert "Shot 2" in last.words and "the oven was cold" in last.words and "2 others are kept" in last.words
    case.dialect.states.clear()
    quoted = boards.quote(board(case), case.settings, boards.find(row.id, OWNER))
    assert quoted is not None and quoted.usd == pytest.approx(0.6)
    whole = shot(boards, row, case)
    assert whole.film is not None and measure(whole.film.output.video).num_frames == 3 * FRAMES
    assert len(case.provider.sent) == 4 and boards.find(row.id, OWNER).state == "done"


def test_a_shot_that_may_have_been_taken_is_not_sent_again(case: Filming) -> None:
    case.provider.sending = [Act(status=500, body={"error": "broken"})]
    boards, row = opened(case)
    assert "isn't known" in shot(boards, row, case).words and len(case.provider.sent) == 3
    assert boards.quote(board(case), case.settings, boards.find(row.id, OWNER)) is None
    assert "isn't known" in shot(boards, row, case).words and len(case.provider.sent) == 3


def test_each_begins_with_the_last_picture_of_the_one_before(case: Filming) -> None:
    boards, row = opened(case, chained=True)
    assert shot(boards, row, case).film is not None
    first, second, third = case.provider.sent
    assert "promptImage" not in first.body and case.dialect.prompts == list(LINES)
    for sent in (second, third):
        assert base64.b64decode(sent.body["promptImage"][0]["uri"].partition(",")[2])[:4] == b"\x89PNG"
    assert boards.find(row.id, OWNER).state == "done"


def test_stop_calls_them_off_at_the_provider(case: Filming) -> None:
    case.dialect.states.update(dict.fromkeys(LINES[1:], WORKING))
    boards, row = opened(case)
    cancel = CancelToken()
    for going in boards.shoot(row, case.settings, cancel):
        if len(case.dialect.prompts) == 3 and going.shots and going.shots[0].done:
            cancel.cancel()
    assert len(case.provider.called_off) == 2 and boards.states(row) == [""] * 3
    assert boards.states(boards.find(row.id, OWNER)) == ["done", "cancelled", "cancelled"]
    assert going.film is not None and "wasn't made" in going.words


def test_two_windows_pay_once_and_nobody_elses_is_found(case: Filming) -> None:
    case.dialect.states.update(dict.fromkeys(LINES, WORKING))
    boards, row = opened(case)
    first = boards.shoot(row, case.settings, CancelToken())
    while len(case.dialect.prompts) < 3:
        next(first)
    second = boards.shoot(row, case.settings, CancelToken())  # it has the row as it was before anything was sent
    next(second)
    case.dialect.states.clear()
    list(first)
    list(second)
    assert len(case.provider.sent) == 3
    for other in ("", "another"):
        with pytest.raises(UnknownJob):
            boards.find(row.id, other)


def test_two_servers_send_a_shot_once(case: Filming) -> None:
    boards, row = opened(case)
    before = case.engine.jobs.store.get(row.id)
    assert before is not None and shot(boards, row, case).film
    case.engine.jobs.store.change(before)  # as another server sees it, which read the row a moment ago
    other = case.again()
    assert "another window" in shot(Storyboards(other.engine), row, other).words and len(case.provider.sent) == 3


def test_a_button_that_is_pressed_twice_begins_one_storyboard(case: Filming) -> None:
    boards, row = opened(case)
    with pytest.raises(InvalidRequest, match="being made already"):
        boards.open(board(case), OWNER, 1.8, row.id)
    assert len(boards.of(OWNER)) == 1


def test_words_that_are_refused_keep_the_whole_board_from_being_paid(tmp_path: Path) -> None:
    with serving(Act()) as judge:
        judge.routes["/"] = by_word
        judged = asked_of(judge)
        with filming(Shots(), tmp_path) as case:
            urls = {**case.settings.base_urls, **judged.base_urls}
            keys = {**case.settings.server_keys, **judged.server_keys}
            strict = case.again(base_urls=urls, server_keys=keys)
            boards, row = opened(strict, lines=("a ball rolls", "two balls fight"))
            with pytest.raises(ProviderError, match="violence"):
                shot(boards, row, strict)
            assert not case.provider.sent and boards.states(row) == ["", ""]


def test_what_several_runs_take_together() -> None:
    paid, free = Quote(0.5, 60, "by the list", asks=True), Quote(None, 4, "of this machine")
    unknown = Quote(None, None, "unpriced", asks=True)
    assert together([paid, paid], in_turn=True) == Quote(1.0, 120, "2 runs of $0.50; by the list", asks=True)
    assert together([paid, paid], in_turn=False).seconds == 60
    assert together([paid, unknown], in_turn=False).usd is None and together([free], in_turn=False) == free
