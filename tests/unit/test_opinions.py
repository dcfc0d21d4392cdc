"""Opinion scores: their means, what is kept in a browser and read back, and the files of them."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from typing import Any

import pytest

from shared.audio import opinions
from shared.audio.opinions import Opinion, from_json, kept, means, read, to_csv, to_json, together
from shared.audio.spoken import Spoken
from shared.errors import InvalidRequest
from shared.outputs import AudioOutput
from shared.receipts import Receipt
from shared.requests import SoundRequest
from shared.settings import Settings
from shared.streaming import Emitter
from shared.ui.audio import sound_trials
from shared.ui.audio.compare_view import Row, Trial, cells, table
from shared.ui.audio.opinions_panel import _forgotten, keep


def opinion(score: int, engine: str = "a", **more: Any) -> Opinion:
    return Opinion(**{"engine": engine, "score": score, "blind": True, "text": "Hi.", "created": "now", **more})


def test_means_are_of_each_engine_and_best_first() -> None:
    best, worst = means([opinion(2), opinion(5, "b"), opinion(3, blind=False), opinion(4)])
    assert (best.engine, best.score, best.margin, best.count) == ("b", 5.0, None, 1)
    assert (worst.engine, worst.score, worst.count, worst.blind) == ("a", 3.0, 3, 2)
    assert worst.margin == pytest.approx(2.4841, abs=1e-3)  # t of 2 degrees, 4.3027, by 1 / √3


def test_what_is_kept_is_read_back_and_no_more_of_it_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    given = [opinion(score, text="x" * 5000, seed=score) for score in (1, 2, 3)]
    assert [o.seed for o in read(json.loads(json.dumps(kept(given))))] == [1, 2, 3]
    assert len(read(kept(given))[0].text) == 1000
    monkeypatch.setattr(opinions, "MOST", 2)
    assert [o.seed for o in read(kept(given))] == [2, 3]


@pytest.mark.parametrize(
    "stored",
    [None, "x", {}, [None], [{}], *([{**kept([opinion(3)])[0], **odd}] for odd in (
        {"score": 6}, {"score": "5"}, {"score": True}, {"engine": 1}, {"blind": None}, {"seed": "1"}, {"text": None},
    ))],
)  # fmt: skip
def test_what_is_none_of_ours_is_left_out(stored: Any) -> None:
    assert read(stored) == []


def test_fields_of_a_later_version_are_left_out() -> None:
    assert read([{**kept([opinion(3)])[0], "later": 1}]) == [opinion(3)]


def test_the_files_hold_every_score_and_no_formula() -> None:
    given = [opinion(4, text="=1+1"), opinion(2, "b, c", text='He said "no".\nThen left.', seed=7)]
    rows = list(csv.DictReader(io.StringIO(to_csv(given))))
    assert [row["score"] for row in rows] == ["4", "2"] and rows[0]["text"] == "'=1+1"
    assert rows[1]["text"] == given[1].text and rows[1]["engine"] == "b, c" and rows[1]["seed"] == "7"
    told = json.loads(to_json(given))
    assert (
        told["means"][0]["score"] == 4.0 and told["opinions"][0]["text"] == "=1+1" and told["scale"]["5"] == "excellent"
    )


def test_files_of_a_class_are_put_together_and_each_score_counts_once() -> None:
    ann, ben = ([opinion(score, created=f"2026-01-0{score}")] for score in (4, 2))
    read_back = [o for file in (ann, ben, ann) for o in from_json(to_json(file).encode())]
    assert together(read_back) == [*ben, *ann]


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"\xff", b'{"opinions": []}', b'{"opinions": [{"score": 9}]}', b"[" * 100_000]
)
def test_a_file_without_scores_is_told(data: bytes) -> None:
    with pytest.raises(InvalidRequest, match="Scores as JSON"):
        from_json(data)


def trial(**more: Any) -> Trial:
    rows = [Row(name=name, sound="<audio>", figures=f"by {name}", seconds=1.0, seed=3) for name in ("one", "two")]
    return Trial(**{"text": "Hi.", "rows": rows, "blind": True, "hidden": True, "ended": True, **more})


def test_scores_are_kept_once_as_blind_as_they_were() -> None:
    shown = trial()
    stored = keep(shown, [], 4, None)[0]
    assert [(o.engine, o.score, o.blind, o.seed) for o in read(stored)] == [("one", 4, True, 3)]
    assert keep(shown, stored, 5, 5)[0] == stored
    assert not read(keep(trial(hidden=False), [], 2, None)[0])[0].blind


def test_nothing_is_kept_where_nothing_was_given_or_what_was_given_is_no_score() -> None:
    assert keep(trial(), [], None, None)[0] == []
    assert keep(trial(), [], 9, -1)[0] == []


def test_music_and_sounds_have_scores_of_their_own() -> None:
    stored = kept([opinion(4), opinion(2, "tunes", kind="text-to-audio")])
    left, means_of_music, _ = _forgotten(stored, "text-to-speech")
    assert [o.kind for o in read(left)] == ["text-to-audio"] and means_of_music == ""
    assert read(keep(trial(kind="text-to-sound"), [], 3, None)[0])[0].kind == "text-to-sound"
    assert read([{k: v for k, v in kept([opinion(3)])[0].items() if k != "kind"}])[0].kind == "text-to-speech"


def test_sounds_and_tunes_that_are_hidden_are_heard_and_not_seen() -> None:
    shown = trial()
    shown.rows[0] = replace(shown.rows[0], picture="<svg/>")
    assert "<h4>A</h4>" in cells(shown) and "<svg/>" not in cells(shown) and "by one" not in cells(shown)
    shown.hidden = False
    assert "A: one · seed 3" in cells(shown) and "<svg/>" in cells(shown) and "by one" in cells(shown)


def test_a_sound_that_is_compared_is_heard_with_its_figures_or_says_why_not() -> None:
    receipt = Receipt(model="m", name="M", task="text-to-sound", backend="diffusers_audio", mode="local", license="MIT")
    hum = AudioOutput(pcm=bytes(range(256)) * 40, sample_rate=8000)
    row, asked, deaf = Row(name="M", seed=3), SoundRequest(prompt="rain"), Emitter(lambda event: None)
    heard = sound_trials.heard(row, Spoken(sound=hum, receipt=receipt), asked, Settings(), deaf)
    assert "data:audio/mpeg" in heard.sound and "Engine" in heard.figures and heard.seconds == hum.seconds
    failed = sound_trials.heard(row, Spoken(error=InvalidRequest("<no>")), asked, Settings(), deaf)
    assert "&lt;no&gt;" in failed.problem and not failed.sound and not failed.seconds


def test_hidden_engines_are_called_by_letters_alone() -> None:
    shown = trial()
    shown.rows += [Row(name="three", status="Loading three"), Row(name="four", problem="four needs a key")]
    assert "<th>A</th>" in table(shown) and "went wrong" in table(shown)
    assert not any(name in table(shown) for name in ("one", "two", "three", "four"))
    shown.hidden = False
    assert all(words in table(shown) for words in ("A: one", "by two", "Loading three", "four needs a key"))
