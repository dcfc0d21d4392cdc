"""A tune of somebody's own is read onto our grid, and decides what a prompt would."""

from __future__ import annotations

import random
import struct
from dataclasses import replace

import pytest

from shared.errors import InvalidRequest
from shared.music.beginning import begin
from shared.music.brief import brief
from shared.music.midi import midi
from shared.music.musicxml import musicxml
from shared.music.piece import Bar, Key, Metre, Note, Piece
from shared.music.wishes import understand
from tests.unit.test_music_files import TRIPLETS
from tests.unit.test_music_language import CHORALE, JIG

WHOLE = replace(JIG, bars=JIG.bars[:2], notes=JIG.notes[:4])  # a pick-up and a bar


def files(piece: Piece) -> list[bytes]:
    return [midi(piece, "flute"), musicxml(piece, "flute").encode()]


@pytest.mark.parametrize("kind", [0, 1], ids=["midi", "musicxml"])
@pytest.mark.parametrize("piece", [CHORALE, TRIPLETS], ids=["chorale", "triplets"])
def test_what_was_written_here_is_read_back(piece: Piece, kind: int) -> None:
    read = begin(files(piece)[kind], 9)
    assert (read.key, read.metre, read.voices, read.bars) == (piece.key, piece.metre, piece.voices, piece.bars)
    assert read.notes == piece.notes and read.tempo == pytest.approx(piece.tempo, abs=0.01)


def test_musicxml_keeps_the_pick_up_and_only_so_many_bars() -> None:
    assert begin(files(WHOLE)[1], 5).bars == WHOLE.bars
    one = begin(files(CHORALE)[1], 1)
    assert one.full_bars == 1 and all(note.start + note.length <= 96 for note in one.notes)


def chords() -> bytes:
    """A melody over chords in one voice, played by hand: late, and let go early."""
    events = [(0, 0x90, 72), (3, 0x90, 48), (5, 0x90, 55), (400, 0x80, 72), (470, 0x90, 74), (900, 0x80, 74)]
    events += [(955, 0x90, 76), (1500, 0x80, 76), (1800, 0x80, 48), (1800, 0x80, 55), (100, 0x99, 38), (200, 0x89, 38)]
    track, now = b"", 0
    for at, status, pitch in sorted(events):
        gap = at - now
        track += (bytes([gap >> 7 | 0x80]) if gap > 127 else b"") + bytes([gap & 127, status, pitch, 100])
        now = at
    track += b"\0\xff\x2f\0"
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, 480) + b"MTrk" + struct.pack(">I", len(track)) + track


def test_of_chords_the_highest_notes_are_taken_and_touch_is_not_written_down() -> None:
    read = begin(chords(), 4)
    assert read.voices == 1 and read.metre == Metre(4, 4)
    assert [(n.start, n.length, n.pitch) for n in read.notes] == [(0, 24, 72), (24, 24, 74), (48, 27, 76)]


def test_the_tune_goes_before_what_the_prompt_says() -> None:
    wanted = brief(understand("a slow reel in F, 20 bars"), beginning=begin(files(TRIPLETS)[1], 2))
    assert (str(wanted.key), str(wanted.metre), wanted.bars) == ("D major", "2/2", 20)
    assert "D major, not in F major" in wanted.unfollowed["key"] and "kind" not in wanted.unfollowed
    other = brief(understand("a jig"), beginning=begin(files(TRIPLETS)[1], 2))
    assert other.controls["kind"] == "reel" and "as a reel" in other.unfollowed["kind"] and other.tempo == 92
    four = brief(understand("a jig"), bars=2, beginning=begin(files(CHORALE)[1], 2))
    assert four.controls["kind"] == "chorale" and four.blank().voices == 4
    assert four.bars == 10 and "has 2 bars" in four.unfollowed["bars"]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "must be a MIDI"),
        (b"RIFF....WAVE", "must be a MIDI"),
        (b"MThd", "damaged"),
        (midi(replace(JIG, notes=()), "flute"), "no notes"),
        (b"MThd" + struct.pack(">IHHH", 6, 0, 1, 0xE728), "frames of a film"),
        (b"<score-partwise><part><measure>", "damaged"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><score-partwise>&b;</score-partwise>', "entities"),
        (musicxml(replace(TRIPLETS, metre=Metre(5, 4)), "flute").encode(), "5/4"),
        (b"MThd" + bytes(3_000_000), "larger than"),
    ],
)
def test_what_can_not_be_gone_on_from_is_told(data: bytes, told: str) -> None:
    with pytest.raises(InvalidRequest, match=told):
        begin(data, 4)


def test_a_tune_that_leaps_far_is_counted_from_another_octave() -> None:
    far = replace(TRIPLETS, notes=(*TRIPLETS.notes[:-1], replace(TRIPLETS.notes[-1], pitch=99)))
    wanted = brief(understand("go on"), beginning=far)
    assert wanted.base % 12 == far.key.tonic and all(-36 <= note.pitch - wanted.base <= 36 for note in far.notes)


def test_a_tune_without_words_is_told() -> None:
    wide = Piece(
        kind="", key=Key(0), metre=Metre(4, 4), tempo=100, voices=1, bars=(Bar(0, 96, part=True),),
        notes=(Note(0, 0, 24, 30), Note(0, 24, 48, 100)),
    )  # fmt: skip
    for piece, words in ((wide, "six octaves"), (replace(wide, bars=wide.bars * 50), "1 to 48 bars")):
        with pytest.raises(InvalidRequest, match=words):
            brief(understand("go on"), beginning=piece)
    with pytest.raises(InvalidRequest, match="at least one bar"):
        begin(files(JIG)[0], 0)


@pytest.mark.parametrize("kind", [0, 1], ids=["midi", "musicxml"])
def test_broken_files_break_nothing(kind: int) -> None:
    data, dice = files(CHORALE)[kind], random.Random(1)
    for number in range(300):
        broken = bytearray(data if number % 2 else data[: number * 7])
        for _ in range(dice.randint(1, 6) if broken else 0):
            broken[dice.randrange(len(broken))] = dice.randrange(256)
        try:
            begin(bytes(broken), 4)
        except InvalidRequest:
            continue
