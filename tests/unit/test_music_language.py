"""What the music model writes is read as the piece it is, and what is no music is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.music.draft import Draft, NotMusic, blank, read
from shared.music.language import Vocabulary, header, words, write
from shared.music.piece import Bar, Key, Metre, Note, Piece, spell

CONTROLS = {"kind": "jig", "mode": "major", "metre": "6/8", "density": "busy", "leaps": "any"}
JIG = Piece(
    kind="jig",
    key=Key(2),
    metre=Metre(6, 8),
    tempo=100,
    voices=1,
    bars=(Bar(0, 12, part=True, pickup=True), Bar(12, 72), Bar(84, 60), Bar(144, 72, part=True)),
    notes=(
        *(Note(0, 0, 12, 69), Note(0, 12, 24, 62), Note(0, 36, 12, 66), Note(0, 48, 36, 69)),
        *(Note(0, 84, 60, 62), Note(0, 156, 60, 74)),
    ),
)
WORDS = (
    "<s> kind:jig mode:major metre:6/8 density:busy leaps:any part:1 pickup @60 +7 bar:1 @0 +0 @24 +4 @36 +7 "
    "bar:0 @0 +0 @60 stop part:0 bar:0 @0 rest @12 +12 </s>"
)
TEXT = WORDS.split()
CHORALE = Piece(
    kind="chorale",
    key=Key(9, "minor"),
    metre=Metre(4, 4),
    tempo=72,
    voices=4,
    bars=(Bar(0, 96, part=True), Bar(96, 96)),
    notes=(
        *(Note(0, 0, 48, 76), Note(1, 0, 24, 72), Note(2, 0, 96, 64), Note(3, 0, 192, 45), Note(1, 24, 24, 71)),
        *(Note(0, 48, 96, 74), Note(1, 48, 144, 69), Note(2, 96, 96, 65), Note(0, 144, 48, 72)),
    ),
)


def written(text: list[str]) -> Piece:
    return read(text, tonic=2, base=62)[0]


def test_a_tune_is_written_and_read_back_as_it_was() -> None:
    assert write(JIG, CONTROLS) == TEXT
    piece, controls = read(TEXT, tonic=2, base=62, tempo=100)
    assert piece == JIG and controls == CONTROLS
    assert piece.full_bars == 3 and piece.seconds == pytest.approx(216 / 36 * 60 / 100)


def test_four_voices_and_notes_over_the_barline_come_back() -> None:
    controls = {"kind": "chorale", "mode": "minor", "metre": "4/4"}
    text = write(CHORALE, controls)
    assert read(text, tonic=9, base=69, tempo=72)[0] == CHORALE
    assert text.count("hold") > 3


@pytest.mark.parametrize("by", [-5, 1, 6])
def test_a_tune_in_another_key_is_the_same_text(by: int) -> None:
    moved = Piece(
        **{
            **{name: getattr(JIG, name) for name in ("kind", "metre", "tempo", "voices", "bars")},
            "key": Key((2 + by) % 12),
            "notes": tuple(Note(n.voice, n.start, n.length, n.pitch + by) for n in JIG.notes),
        }
    )
    assert write(moved, CONTROLS) == TEXT


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("@24 +4", "@24"),  # a place where nothing happens
        ("@36 +7 bar:0", "@24 +7 bar:0"),  # the same place twice
        ("@36 +7 bar:0", "@72 +7 bar:0"),  # beyond the bar
        ("bar:1 @0", "bar:1 @12"),  # silent from its beginning, without saying so
        ("bar:0 @0 +0 @60 stop", "bar:1 @0 +0"),  # counted wrongly
        ("@60 stop part:0", "@60 stop"),  # a bar more than told
        ("@0 rest @12 +12", ""),  # an empty bar
        ("@0 rest", "@0 hold"),  # nothing sounds that could be held
        ("bar:1 @0 +0 @24 +4", "bar:1 @0 +0 @24 stop"),  # a short bar in mid-part
        ("</s>", ""),
        ("kind:jig", "kind:tango"),
    ],
)
def test_what_is_no_music_is_refused(old: str, new: str) -> None:
    assert old in WORDS
    with pytest.raises(NotMusic):
        written(WORDS.replace(old, new, 1).split())


def test_a_piece_can_be_looked_at_after_every_bar() -> None:
    draft = Draft(blank(CONTROLS, tonic=2, tempo=100), base=62)
    seen = []
    for word in TEXT[6:]:
        draft.add(word)
        if word.startswith("bar:"):
            seen.append(len(draft.so_far().notes))
    assert seen == [1, 4, 5] and draft.ended
    assert draft.so_far() == JIG


def test_whatever_the_grammar_allows_is_music() -> None:
    """A hundred pieces of words drawn at random among those allowed: each is read, and written again the same."""
    import random

    for seed in range(100):
        draw = random.Random(seed)
        controls = {"kind": draw.choice(("jig", "chorale")), "mode": "dorian", "metre": draw.choice(("6/8", "3/4"))}
        draft = Draft(blank(controls, tonic=4, tempo=60), base=64)
        text = header(controls)
        while not draft.ended:
            end = draft.structure()
            word = draw.choice(end if end and (not draft.steps() or draw.random() < 0.3) else draft.steps())
            word = "part:1" if word.startswith("part:") and draft.parts_left is None else word
            word = "bar:1" if word.startswith("bar:") and int(word[4:]) > 1 else word
            draft.add(word)
            text.append(word)
        piece = draft.so_far()
        assert read(text, tonic=4, base=64, tempo=60)[0] == piece
        assert all(0 <= n.start < n.start + n.length <= piece.ticks for n in piece.notes)


def test_a_vocabulary_is_read_from_a_tokenizers_file_and_from_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "tokenizer.json"
    file.write_text('{"model": {"vocab": {"b": 1, "a": 0}}}', encoding="utf-8")
    assert Vocabulary.read(file).encode(["b", "a"]) == [1, 0]
    for wrong in ("{}", '{"model": {"vocab": {"a": 1}}}', "[]", "no json"):
        file.write_text(wrong, encoding="utf-8")
        with pytest.raises(ValueError, match=r"tokenizer\.json|Expecting"):
            Vocabulary.read(file)
    assert len(set(words())) == len(words())


@pytest.mark.parametrize(
    ("key", "fifths", "name", "pitches"),
    [
        (Key(9, "minor"), 0, "A minor", {68: ("G", 1, 4), 70: ("B", -1, 4)}),
        (Key(3), -3, "E♭ major", {63: ("E", -1, 4), 66: ("G", -1, 4)}),
        (Key(2), 2, "D major", {73: ("C", 1, 5), 61: ("C", 1, 4), 72: ("C", 0, 5)}),
        (Key(1, "minor"), 4, "C♯ minor", {60: ("B", 1, 3)}),
        (Key(4, "dorian"), 2, "E dorian", {}),
        (Key(2, "mixolydian"), 1, "D mixolydian", {}),
    ],
)
def test_keys_have_their_signature_and_their_spelling(
    key: Key, fifths: int, name: str, pitches: dict[int, tuple[str, int, int]]
) -> None:
    assert (key.fifths, str(key)) == (fifths, name)
    assert {pitch: spell(pitch, key.fifths) for pitch in pitches} == pitches
