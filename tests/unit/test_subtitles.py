"""Subtitles fit a screen, keep the words and their times, and say where those are estimated."""

from __future__ import annotations

import re

from shared.audio.timing import estimated
from shared.events import Word
from shared.media.sound.subtitles import LONGEST, cues, srt, vtt

TEXT = (
    "This is a rather long sentence that goes on for so many words that no single line could hold them all, and "
    "then it ends. Short one. And another."
)
WORDS = estimated(TEXT, 0.5, 12.0)


def test_srt_has_numbers_spans_and_at_most_two_lines() -> None:
    blocks = srt(WORDS).strip().split("\n\n")
    assert [block.split("\n")[0] for block in blocks] == [str(n) for n in range(1, len(blocks) + 1)]
    span = re.compile(r"\d\d:\d\d:\d\d,\d{3} --> \d\d:\d\d:\d\d,\d{3}")
    assert all(span.fullmatch(block.split("\n")[1]) for block in blocks)
    assert all(1 <= len(block.split("\n")[2:]) <= 2 for block in blocks)
    said = " ".join(" ".join(block.split("\n")[2:]) for block in blocks)
    assert said == TEXT


def test_cues_end_with_sentences_pauses_and_what_fits() -> None:
    shown = cues(WORDS)
    assert all(sum(len(w.text) + 1 for w in cue) - 1 <= LONGEST for cue in shown)
    assert [" ".join(w.text for w in cue) for cue in shown][-2:] == ["Short one.", "And another."]
    paused = [Word("One", 0.0, 0.3), Word("two", 2.0, 2.3)]
    assert len(cues(paused)) == 2


def test_vtt_times_each_word_and_names_who_speaks() -> None:
    words = [Word("Hi", 3722.0, 3722.4, "Ann & co", True), Word("there.", 3722.4, 3725.5, "Ann & co", True)]
    text = vtt(words)
    assert text.startswith("WEBVTT\n\n01:02:02.000 --> 01:02:05.500\n")
    assert "<v Ann &amp; co>Hi <01:02:02.400>there." in text and "NOTE" not in text


def test_estimated_times_are_called_so() -> None:
    assert "NOTE Times are estimated" in vtt(WORDS)


def test_another_speaker_begins_a_cue_and_nothing_escapes_from_one() -> None:
    words = [Word("<b>x</b>", 0.0, 0.4, "Ann"), Word("-->", 0.4, 0.6, "Ben"), Word("東", 0.6, 0.7, "Ben")]
    words.append(Word("京", 0.7, 0.8, "Ben"))
    assert len(cues(words)) == 2
    assert "&lt;b&gt;x" in vtt(words) and "<b>" not in vtt(words)
    lines = srt(words).split("\n")
    assert "Ben: → 東京" in lines and sum("-->" in line for line in lines) == 2


def test_nothing_said_gives_an_empty_file() -> None:
    assert srt([]) == "" and vtt([]) == "WEBVTT\n\n"
