"""The training data's readers: ABC and four-voice MusicXML become the notes that are printed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from shared.music.musicxml import musicxml
from tests.support.server import ROOT

sys.path.append(str(ROOT / "training" / "text2music"))
import abc_tunes
import chorales
import tunes

HEAD = "X:1\nT:A tune\nM:6/8\nL:1/8\nR:jig\nB:Ryan's\nK:G\n"


def piece(body: str, head: str = HEAD, kind: str = "jig") -> Any:
    return tunes.piece_of(abc_tunes.parse(head + body), kind)


def sounds(body: str, head: str = HEAD) -> list[tuple[int | None, float]]:
    tune = abc_tunes.parse(head + body)
    return [(sound.pitch, float(sound.length)) for bar in tune.bars for sound in bar.sounds]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("G2A B3|", [(67, 1), (69, 0.5), (71, 1.5)]),
        ("f=f f|F,g'|", [(78, 0.5), (77, 0.5), (77, 0.5), (54, 0.5), (91, 0.5)]),  # an accidental lasts for its bar
        ("_B/ ^c// z3|", [(70, 0.25), (73, 0.125), (None, 1.5)]),
        ("A>B c<d e>>f|", [(69, 0.75), (71, 0.25), (72, 0.25), (74, 0.75), (76, 0.875), (78, 0.125)]),
        ("(3ABc d2|", [(69, 1 / 3), (71, 1 / 3), (72, 1 / 3), (74, 1)]),
        ('u"4"v~.A{gf}B !trill!c|', [(69, 0.5), (71, 0.5), (72, 0.5)]),
        ("[GBd]2 (A B)|% a remark\n", [(74, 1), (69, 0.5), (71, 0.5)]),
    ],
)
def test_abc_is_read_as_it_is_meant(body: str, told: list[tuple[int | None, float]]) -> None:
    assert [(p, pytest.approx(length)) for p, length in told] == sounds(body)


def test_parts_pickups_endings_and_ties_make_a_piece() -> None:
    body = "D|G3 B3|A3 d3-|1 d3 c2:|2 d6|]\n|:d3 BAB|GAG EDE|DEF FED|G4 z2:|"
    made = piece(body, head=HEAD)
    assert [(bar.length, bar.part, bar.pickup) for bar in made.bars] == [
        *((12, True, True), (72, False, False), (72, False, False), (72, False, False)),
        *((72, True, False), (72, False, False), (72, False, False), (72, False, False)),
    ]
    assert made.notes[4].length == 36 + 72  # tied into the second ending
    assert str(made.key) == "G major"


def test_a_signature_written_as_major_is_heard_in_its_own_mode() -> None:
    body = "|".join(["ABA A2B", "cBA e3", "AGE G3", "A3 a3"] * 4) + "|ABc BAG|A6|]"
    assert str(piece(body).key) == "A dorian"


def test_ryans_sixteenths_and_oneills_eighths_are_one_writing() -> None:
    two_four = "X:1\nM:2/4\nL:1/16\nR:reel\nK:D\n" + "DFAF DFAF|" * 4
    cut = "X:1\nM:C|\nL:1/8\nR:reel\nK:D\n" + "DFAF DFAF|" * 4
    assert piece(two_four, "", "reel") == piece(cut, "", "reel")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("G3 B3|A3|d3 B3|" * 4, "don't add up"),
        ("G3 B3 G3|" * 8, "don't add up"),
        ("G3 B3|" * 8 + "|G|G3 B3|", "no room"),
        ("G3 B3|[K:D]" + "A3 d3|" * 8, "changes its key"),
        ("G3 B3|", "too long or too short"),
        ("(5GABcd G7/2|" * 8, "grid"),
    ],
)
def test_what_is_not_whole_is_left_out(body: str, why: str) -> None:
    with pytest.raises(abc_tunes.Unreadable, match=why):
        piece(body)


def test_a_chorale_is_read_and_cut_at_its_fermatas(tmp_path: Path) -> None:
    def part(pitches: str, fermata: bool) -> str:
        notes = [
            f"<note><pitch><step>{step}</step><octave>4</octave></pitch><duration>2</duration><voice>1</voice>"
            + ("<notations><fermata/></notations>" if fermata and number == 6 else "") + "</note>"
            for number, step in enumerate(pitches)
        ]  # fmt: skip
        attributes = (
            "<attributes><divisions>2</divisions><key><fifths>0</fifths></key>"
            "<time><beats>4</beats><beat-type>4</beat-type></time></attributes>"
        )
        bars = [notes[:4], notes[4:8], notes[8:]]
        return "<part>" + "".join(
            f"<measure>{attributes if number == 0 else ''}{''.join(bar)}</measure>" for number, bar in enumerate(bars)
        ) + "</part>"  # fmt: skip

    score = ElementTree.fromstring(f"<score>{part('GABCCBGEDDDC', True)}{part('EFGEEDEGGFGE', False) * 3}</score>")
    made = chorales.parse(score)
    assert [(bar.length, bar.part, bar.pickup) for bar in made.bars] == [
        *((96, True, False), (72, False, False), (24, True, True), (96, False, False)),
    ]
    assert made.voices == 4 and len(made.notes) == 48
    assert musicxml(made, "organ").count("<measure ") == 3  # the bar that the line's end divides is one again
    score.remove(score.findall("part")[3])
    with pytest.raises(abc_tunes.Unreadable, match="four voices"):
        chorales.parse(score)
