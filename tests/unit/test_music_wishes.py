"""A prompt's words are read as music, and every one that isn't is told."""

from __future__ import annotations

from typing import Any

import pytest

from shared.music.brief import brief, split
from shared.music.instruments import instruments
from shared.music.language import KINDS, LEVELS, METRES
from shared.music.wishes import table, understand


@pytest.mark.parametrize(
    ("prompt", "told"),
    [
        ("a fast Irish jig in G", {"kind": "jig", "pace": "fast", "tonic": 7}),
        ("a sad waltz in D minor, slow", {"kind": "air", "metre": "3/4", "tonic": 2, "mode": "minor", "pace": "slow"}),
        ("a sad waltz", {"kind": "air", "metre": "3/4", "mode": "minor", "pace": "slow", "density": "plain"}),
        ("a sad reel in C major", {"kind": "reel", "mode": "major", "tonic": 0, "pace": "slow"}),
        ("slow happy jig", {"kind": "jig", "mode": "major", "pace": "slow", "density": "busy"}),
        ("hornpipe in B flat major at 80 bpm", {"kind": "hornpipe", "tonic": 10, "mode": "major", "tempo": 80}),
        ("E♭ air", {"kind": "air", "tonic": 3, "mode": None}),
        ("jig in F# dorian", {"kind": "jig", "tonic": 6, "mode": "dorian"}),
        ("Em slip jig 16 bars", {"kind": "slip_jig", "tonic": 4, "mode": "minor", "bars": 16}),
        ("in a minor", {"tonic": 9, "mode": "minor"}),
        ("in a minor key", {"tonic": None, "mode": "minor"}),
        ("a minor jig", {"tonic": None, "mode": "minor", "kind": "jig"}),
        ("A reel", {"tonic": None, "kind": "reel"}),
        ("a reel in A", {"tonic": 9, "kind": "reel"}),
        ("a 12-bar tune in 6/8 on the harp", {"bars": 12, "metre": "6/8", "instrument": "harp"}),
        ("half a minute of banjo", {"duration": 30, "instrument": "banjo"}),
        ("two minutes of bach", {"duration": 120, "kind": "chorale"}),
        ("jig, then a reel", {"kind": "jig"}),
    ],
)  # fmt: skip
def test_a_prompt_says_what_is_wished(prompt: str, told: dict[str, Any]) -> None:
    wish = understand(prompt)
    assert {name: wish.get(name) for name in told} == told
    assert wish.unread == () or "then" in wish.unread


@pytest.mark.parametrize(
    ("prompt", "unread"),
    [
        ("dubstep for a robot 🎵", ("dubstep", "robot", "🎵")),
        ("a jigsaw", ("jigsaw",)),
        ("悲しい jig", ("悲しい",)),
        ("<b>reel</b> & drop table;", ("b", "&", "drop", "table")),
        ("", ()),
        ("reel " * 500, ()),
    ],
)
def test_words_that_are_not_known_are_told(prompt: str, unread: tuple[str, ...]) -> None:
    wish = understand(prompt)
    assert set(unread) <= set(wish.unread)
    assert wish.unread or not unread


def test_a_very_long_prompt_is_read_at_once() -> None:
    wish = understand("slow " * 20_000 + "jig in D " * 20_000)
    assert wish.get("kind") == "jig" and len(wish.unread) == 0


def test_of_two_that_contradict_each_other_the_first_counts_and_that_is_said() -> None:
    wish = understand("a jig in D, then a waltz in G")
    assert (wish.get("kind"), wish.get("tonic"), wish.get("metre")) == ("jig", 2, None)
    assert sum("the first counts" in str(meaning) for meaning in wish.meanings) == 2


def test_every_word_of_the_table_means_something_that_there_is() -> None:
    told = table()
    assert set(told["kind"]) == set(KINDS)
    for row in told["kind"].values():
        assert set(row["metres"]) <= set(METRES) and len(row["tempo"]) == 3 and row["instrument"] in instruments()
    seen: set[str] = set()
    for row in (*told["word"], *told["mood"]):
        assert not seen & set(row["says"]), "a word stands twice"
        seen |= set(row["says"])
        for name in ("kind", "mode", "metre", "density", "leaps"):
            assert row.get(name) in (None, *LEVELS[name])
        assert row.get("instrument") in (None, *instruments())
        for phrase in row["says"]:
            wish = understand(phrase)
            assert wish.unread == () and wish.meanings, phrase
    for name in told["unsaid"]["metre"].values():
        assert name in KINDS


def test_what_is_left_open_is_decided_and_said() -> None:
    made = brief(understand("something"))
    assert (made.controls["kind"], str(made.key), str(made.metre), made.bars) == ("reel", "D major", "2/2", 16)
    assert {line.partition(":")[0] for line in made.assumed} == {
        *("no kind was named", "no key was named", "no length was named"),
    }
    assert brief(understand("in 9/8")).controls["kind"] == "slip_jig"
    assert brief(understand("slow and sad")).controls["kind"] == "air"


@pytest.mark.parametrize(
    ("prompt", "setting", "told"),
    [
        ("a jig in 3/4", "metre", "6/8, 12/8"),
        ("a reel in 17/3", "metre", "2/2"),
        ("an air at 900 bpm", "tempo", "300"),
        ("500 bars of reel", "bars", "1 to 64"),
    ],
)
def test_what_can_not_be_followed_is_said(prompt: str, setting: str, told: str) -> None:
    assert told in brief(understand(prompt)).unfollowed[setting]


@pytest.mark.parametrize("bars", range(1, 65))
def test_parts_share_the_bars(bars: int) -> None:
    for part in (4, 8):
        parts = split(bars, part)
        assert sum(parts) == bars and max(parts) - min(parts) <= 1 and max(parts) < 2 * part


@pytest.mark.parametrize("tonic", range(12))
def test_a_melody_lies_in_the_middle_in_every_key(tonic: int) -> None:
    wish = understand("reel in " + ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"][tonic])
    assert 57 <= brief(wish).base <= 69 and brief(wish).base % 12 == tonic
