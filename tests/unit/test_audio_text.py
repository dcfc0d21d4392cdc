"""Texts are cut where a voice may take breath, and nothing of them is lost."""

from __future__ import annotations

from itertools import pairwise

import pytest

from shared.audio.script import names_in, utterances
from shared.audio.sentences import CLAUSE, NONE, PARAGRAPH, SENTENCE, parts
from shared.audio.timing import estimated
from shared.errors import InvalidRequest
from shared.requests import SpeechRequest


def said(text: str, most: int = 400, **options: bool) -> list[str]:
    return [part.text for part in parts(text, most, **options)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four…", ["One.", "Two!", "Three?", "Four…"]),
        ("Dr. Smith met Mr. J. K. Brown. He left.", ["Dr. Smith met Mr. J. K. Brown.", "He left."]),
        ("It was 3.5 km, e.g. far.", ["It was 3.5 km, e.g. far."]),
        ("She said “Go.” He went.", ["She said “Go.”", "He went."]),
        ("No end\n\nNew paragraph", ["No end", "New paragraph"]),
        ("彼は来た。彼女は「行く。」と言った！", ["彼は来た。", "彼女は「行く。」", "と言った！"]),
        ("  \n ", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert said(text) == expected


def test_the_pause_tells_what_ended() -> None:
    pauses = [part.pause for part in parts("One. Two.\nThree, " + "four " * 30 + ", five.", 60)]
    assert pauses[:2] == [SENTENCE, PARAGRAPH] and pauses[2] == CLAUSE and pauses[-1] == PARAGRAPH
    assert NONE in pauses[3:-1]


@pytest.mark.parametrize("most", [1, 7, 40, 400])
@pytest.mark.parametrize("packed", [False, True])
def test_every_part_fits_and_nothing_is_lost(most: int, packed: bool) -> None:
    text = "A sentence, of some length; with clauses. " + "x" * 95 + " and more words.\n\nÄnd «this», too? 你好。" * 3
    cut = parts(text, most, packed=packed)
    assert all(0 < len(part.text) <= most for part in cut)
    assert "".join("".join(part.text for part in cut).split()) == "".join(text.split())


def test_packed_parts_are_few() -> None:
    text = "Short one. " * 100
    assert len(said(text, 300, packed=True)) < len(said(text, 300)) / 10


def test_a_script_gives_each_line_its_voice() -> None:
    text = "Ann: Hello! How are you?\nBen: Well.\nand you?\nNote: this is nobody's name.\nAnn: Fine."
    request = SpeechRequest(text=text, voice="mine", speakers=(("Ann", "heart"), ("Ben", "low")))
    spoken = utterances(request, 400)
    assert [(u.speaker, u.voice, u.text) for u in spoken] == [
        ("Ann", "heart", "Hello!"),
        ("Ann", "heart", "How are you?"),
        ("Ben", "low", "Well."),
        ("Ben", "low", "and you?"),
        ("Ben", "low", "Note: this is nobody's name."),
        ("Ann", "heart", "Fine."),
    ]
    assert spoken[-1].pause == 0.0
    assert names_in(text) == ["Ann", "Ben", "Note"]


def test_without_speakers_a_colon_is_read_as_it_stands() -> None:
    request = SpeechRequest(text="Ann: Hello!", voice="heart")
    assert [(u.text, u.voice) for u in utterances(request, 400)] == [("Ann: Hello!", "heart")]


def test_a_script_that_says_nothing_is_told() -> None:
    with pytest.raises(InvalidRequest, match="after the speakers' names"):
        utterances(SpeechRequest(text="Ann:  \nAnn:", speakers=(("Ann", "heart"),)), 400)


def test_estimated_words_fill_the_time_in_order() -> None:
    words = estimated("Well, extraordinary things happen in 1984.", 2.0, 6.0, "Ann")
    assert [w.text for w in words] == ["Well,", "extraordinary", "things", "happen", "in", "1984."]
    assert words[0].start == 2.0 and words[-1].end == pytest.approx(6.0, abs=0.01)
    assert all(a.end == b.start for a, b in pairwise(words))
    by_text = {w.text: w.end - w.start for w in words}
    assert by_text["extraordinary"] > by_text["things"] > by_text["in"]
    assert not any(w.exact for w in words) and {w.speaker for w in words} == {"Ann"}


def test_text_without_spaces_is_timed_by_its_characters() -> None:
    assert [w.text for w in estimated("東京 is 大", 0.0, 1.0)] == ["東", "京", "is", "大"]
    assert estimated(" ", 0.0, 1.0) == ()
