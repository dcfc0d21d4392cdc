"""A piece's files say the same notes: MIDI, MusicXML, the score and the roll."""

from __future__ import annotations

import re
import struct
import threading
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest

from shared.music.instruments import instruments
from shared.music.midi import FINER, midi
from shared.music.musicxml import musicxml
from shared.music.piece import Bar, Guess, Key, Metre, Note, Piece
from shared.music.roll import roll
from shared.music.score import score
from tests.unit.test_music_language import CHORALE, JIG

TRIPLETS = Piece(
    kind="reel",
    key=Key(2),
    metre=Metre(2, 2),
    tempo=92,
    voices=1,
    bars=(Bar(0, 96, part=True), Bar(96, 96)),
    notes=(
        *(Note(0, 0, 8, 62), Note(0, 8, 8, 64), Note(0, 16, 8, 66), Note(0, 24, 18, 69), Note(0, 42, 6, 68)),
        *(Note(0, 48, 60, 74), Note(0, 120, 24, 61), Note(0, 144, 48, 62)),
    ),
)
PIECES = pytest.mark.parametrize("piece", [JIG, CHORALE, TRIPLETS], ids=["jig", "chorale", "triplets"])


def voices(piece: Piece) -> list[list[tuple[int, int, int]]]:
    return [[(n.start, n.length, n.pitch) for n in piece.notes if n.voice == v] for v in range(piece.voices)]


def number(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    while True:
        value = value << 7 | data[at] & 0x7F
        at += 1
        if not data[at - 1] & 0x80:
            return value, at


def tracks(data: bytes) -> Iterator[list[tuple[int, bytes]]]:
    """Every track's events by their time, read as the MIDI specification says."""
    at = 14
    while at < len(data):
        assert data[at : at + 4] == b"MTrk"
        end = at + 8 + struct.unpack_from(">I", data, at + 4)[0]
        at, now, events = at + 8, 0, []
        while at < end:
            passed, at = number(data, at)
            now += passed
            size = 3 if data[at] & 0xF0 in (0x80, 0x90) else 2 if data[at] & 0xF0 == 0xC0 else 3 + data[at + 2]
            events.append((now, data[at : at + size]))
            at += size
        assert events[-1][1] == b"\xff\x2f\x00"
        yield events


@PIECES
def test_a_midi_file_holds_the_notes_the_tempo_and_the_instrument(piece: Piece) -> None:
    data = midi(piece, "flute")
    kind, count, division = struct.unpack_from(">HHH", data, 8)
    assert (kind, count, division) == (1, piece.voices + 1, 480)
    conductor, *parts = tracks(data)
    told = {event[1]: event[3:] for _, event in conductor if event[0] == 0xFF and len(event) > 3}
    quarter = int.from_bytes(told[0x51], "big") / 1e6
    assert piece.ticks / 24 * quarter == pytest.approx(piece.seconds, rel=1e-4)
    assert tuple(told[0x58][:2]) == (piece.metre.beats, {2: 1, 4: 2, 8: 3}[piece.metre.unit])
    assert struct.unpack("b", told[0x59][:1])[0] == piece.key.fifths
    for part, notes in zip(parts, voices(piece), strict=True):
        assert part[0][1][1] == instruments()["flute"]["program"]
        begun = [(at // FINER, event[1]) for at, event in part if event[0] & 0xF0 == 0x90]
        ended = [event[1] for _, event in part if event[0] & 0xF0 == 0x80]
        assert begun == [(start, pitch) for start, _, pitch in notes] and len(ended) == len(begun)


def sounding(xml: str, voice: int) -> list[tuple[int, int, int]]:
    """The voice's notes as MusicXML has them: start, length, pitch; ties joined."""
    found: list[tuple[int, int, int]] = []
    start = 0
    for measure in ElementTree.fromstring(xml).iter("measure"):
        at, longest = 0, 0
        for element in measure:
            if element.tag not in ("note", "backup"):
                continue
            long = int(element.findtext("duration", "0"))
            if element.tag == "backup":
                at -= long
                continue
            if element.findtext("voice") == str(voice + 1) and element.find("pitch") is not None:
                step, octave = element.findtext("pitch/step", ""), int(element.findtext("pitch/octave", "0"))
                pitch = 12 * (octave + 1) + "C D EF G A B".index(step) + int(element.findtext("pitch/alter", "0"))
                stops = [tie.get("type") for tie in element.findall("tie")]
                if "stop" in stops:
                    assert found[-1][2] == pitch and found[-1][0] + found[-1][1] == start + at
                    found[-1] = (found[-1][0], found[-1][1] + long, pitch)
                else:
                    found.append((start + at, long, pitch))
            at += long
            longest = max(longest, at)
        start += longest
    return found


@PIECES
def test_a_musicxml_file_holds_the_same_notes(piece: Piece) -> None:
    xml = musicxml(piece, "fiddle", "Tom & Jerry's <jig>")
    assert "Tom &amp; Jerry's &lt;jig&gt;" in xml
    assert [sounding(xml, voice) for voice in range(piece.voices)] == voices(piece)
    root = ElementTree.fromstring(xml)
    assert root.findtext(".//key/fifths") == str(piece.key.fifths)
    for note in root.iter("note"):
        if (shape := note.findtext("type")) and note.find("time-modification") is None:
            plain = {"whole": 96, "half": 48, "quarter": 24, "eighth": 12, "16th": 6, "32nd": 3}[shape]
            assert int(note.findtext("duration", "0")) == plain * (3 if note.find("dot") is not None else 2) / 2


def test_beams_brackets_and_accidentals_stand_where_a_reader_needs_them() -> None:
    root = ElementTree.fromstring(musicxml(TRIPLETS, "fiddle"))
    first, second = root.iter("measure")
    notes = first.findall("note")
    assert [note.findtext("beam") for note in notes] == ["begin", "continue", "continue", "continue", "end", None]
    brackets = [t.get("type") for note in notes for t in note.findall("notations/tuplet")]
    assert brackets == ["start", "stop"]
    assert [note.findtext("accidental") for note in notes] == [None, None, None, None, "sharp", None]
    assert second.findtext("note/accidental") is None  # c sharp is in the signature
    assert second.find("barline/bar-style").text == "light-heavy"  # type: ignore[union-attr]


@PIECES
def test_a_score_is_drawn_whole_and_fetches_nothing(piece: Piece) -> None:
    svg = score(piece, "organ")
    root = ElementTree.fromstring(svg)
    heads = [e for e in root.iter() if "note" in (e.get("class") or "").split()]
    assert len(heads) >= len(piece.notes)
    assert not re.findall(r'(?:href|src)="(?!#)|url\((?!#|data:)|@import|<script', svg)


@PIECES
def test_a_roll_shows_every_note_and_grows_in_place(piece: Piece) -> None:
    whole = ElementTree.fromstring(roll(piece, 8))
    namespace = "{http://www.w3.org/2000/svg}"
    shown = [r for r in whole.iter(f"{namespace}rect") if r.get("rx")]
    assert len(shown) == len(piece.notes)
    begun = Piece(**{**{f: getattr(piece, f) for f in FIELDS}, "bars": piece.bars[:1], "notes": piece.notes[:1]})
    assert ElementTree.fromstring(roll(begun, 8)).get("viewBox", "").split()[2] == whole.get("viewBox", "").split()[2]


FIELDS = ("kind", "key", "metre", "tempo", "voices")


@pytest.mark.parametrize("make", [lambda p: midi(p, "kazoo"), lambda p: musicxml(p, "kazoo")])
def test_an_instrument_that_there_is_not_is_a_key_error(make: Any) -> None:
    with pytest.raises(KeyError):
        make(JIG)


def test_a_roll_shows_what_might_have_been_and_where_a_player_is() -> None:
    first = JIG.notes[0]
    guess = Guess(
        0, first.start, first.pitch, 0.5, ((first.pitch, 0.5), (first.pitch + 24, 0.3), ("rest", 0.16), (90, 0.04))
    )
    plain, told = (ElementTree.fromstring(roll(JIG, 3, guesses)) for guesses in ((), (guess,)))
    spoken = [title.text for title in told.iter() if title.tag.endswith("title")]
    assert len(spoken) == 2 and [text.split()[-1] for text in spoken if text] == ["50%", "30%"]
    assert len(list(told.iter())) > len(list(plain.iter())) + 4
    assert float(told.attrib["data-seconds"]) == pytest.approx(JIG.seconds, abs=0.001)
    assert sum("data-now" in line.attrib for line in told.iter()) == 1


def test_a_score_is_drawn_in_any_thread() -> None:
    """Verovio keeps for each thread where its fonts lie."""
    drawn: list[str] = []
    for _ in range(2):
        thread = threading.Thread(target=lambda: drawn.append(score(JIG, "flute")))
        thread.start()
        thread.join()
    assert len(drawn) == 2
