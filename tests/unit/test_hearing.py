"""A page hears every piece of its own run's sound, in order and once, however late or odd its questions are."""

from __future__ import annotations

import base64
import threading
import time
import uuid

import pytest

from shared.events import AudioChunk, Word
from shared.ui.audio import hearing
from shared.ui.audio.hearing import Hearing


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "WAIT", 0.3)


def name() -> str:
    return str(uuid.uuid4())


def chunk(number: int) -> AudioChunk:
    return AudioChunk(bytes([number, 0]), 8000, number / 10, words=(Word("w", 0.1, 0.2, "Ann"),))


def heard(place: Hearing, run: str) -> list[int]:
    """Ask as the page does, until all is there."""
    at, numbers = 0, []
    for _ in range(200):
        told = place.listen({"run": run, "at": at})
        at = told["at"]
        numbers += [base64.b64decode(piece["pcm"])[0] for piece in told["pieces"]]
        if told["done"]:
            return numbers
    raise AssertionError("it never ends")


def test_pieces_come_in_order_while_they_are_made_and_to_each_page_its_own() -> None:
    place, runs = Hearing(), [name(), name()]
    found: dict[str, list[int]] = {}
    pages = [threading.Thread(target=lambda r=run: found.update({r: heard(place, r)})) for run in runs]
    for page in pages:
        page.start()
    with place.open(runs[0]) as first, place.open(runs[1]) as second:
        for number in range(20):
            first(chunk(number))
            second(chunk(100 + number))
            time.sleep(0.002)
    for page in pages:
        page.join(10)
    assert found == {runs[0]: list(range(20)), runs[1]: list(range(100, 120))}


def test_a_page_that_asks_late_still_hears_all() -> None:
    place, run = Hearing(), name()
    with place.open(run) as hear:
        for number in range(5):
            hear(chunk(number))
    assert heard(place, run) == list(range(5))


def test_a_piece_says_what_it_is() -> None:
    place, run = Hearing(), name()
    with place.open(run) as hear:
        hear(chunk(3))
        told = place.listen({"run": run, "at": 0})
    assert told["pieces"][0] == {
        "pcm": base64.b64encode(b"\x03\0").decode(), "rate": 8000, "channels": 1, "start": 0.3,
        "words": [["w", 0.1, 0.2, "Ann"]],
    }  # fmt: skip
    assert told["known"] and not told["done"]


def test_silence_is_answered_soon_and_an_unknown_run_as_such() -> None:
    place, run = Hearing(), name()
    started = time.monotonic()
    assert place.listen({"run": run, "at": 0}) == {"pieces": [], "at": 0, "done": False, "known": False}
    with place.open(run):
        assert place.listen({"run": run, "at": 0})["known"]
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    "asked", [None, 7, "x", [], {}, {"run": 5, "at": -1}, {"run": "x" * 10**5, "at": 10**12}, {"run": None, "at": "1"}]
)
def test_a_strangers_question_breaks_nothing(asked: object) -> None:
    assert Hearing().listen(asked)["pieces"] == []


def test_a_run_without_a_proper_name_is_heard_by_nobody() -> None:
    place = Hearing()
    for odd in ("", "guessable", "../../x" * 6, None):
        with place.open(odd) as hear:  # type: ignore[arg-type]
            hear(chunk(1))
        assert not place.listen({"run": odd, "at": 0})["known"]


def test_what_nobody_fetches_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "KEPT", 0.0)
    place, run = Hearing(), name()
    with place.open(run) as hear:
        hear(chunk(1))
    time.sleep(0.01)
    with place.open(name()):
        pass
    assert not place.listen({"run": run, "at": 0})["known"]
