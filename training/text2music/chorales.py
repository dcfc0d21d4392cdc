"""Reads Bach's four-voice chorales from compressed MusicXML (https://www.w3.org/2021/06/musicxml40/)."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

from abc_tunes import Unreadable
from tunes import Known

from shared.music.features import likeness
from shared.music.language import METRES, places
from shared.music.piece import MODES, TICKS, Bar, Key, Metre, Note, Piece

LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
LONGEST = 40  # bars
# Most files print "PDF © 2004 Margaret Greentree" on their page; sources.md says why they are used all the same, of
# which only Bach's notes are read. False leaves them out: then few chorales are left.
USE_NOTICED = True


def chorales(corpus: Path, left_out: Counter[str]) -> Iterator[Known]:
    """Every piece of the folder for four voices. Counts the others by reason."""
    for file in sorted(corpus.glob("bach/*.mxl")):
        try:
            score = _score(file)
            if not USE_NOTICED and any("©" in (words.text or "") for words in score.iter("credit-words")):
                raise Unreadable("with a notice of copyright on its page")
            yield Known(f"bach/{file.name}", parse(score))
        except Unreadable as error:
            left_out[str(error)] += 1


def _score(file: Path) -> ElementTree.Element:
    with zipfile.ZipFile(file) as archive:
        name = next(n for n in archive.namelist() if n.endswith("xml") and not n.startswith("META-INF"))
        return ElementTree.fromstring(archive.read(name))


def parse(score: ElementTree.Element) -> Piece:
    """One score. Raises `Unreadable`."""
    parts = score.findall("part")
    if len(parts) != 4:
        raise Unreadable("not for four voices")
    voices = [_Voice(part) for part in parts]
    first = voices[0]
    if any(voice.lengths != first.lengths for voice in voices):
        raise Unreadable("voices whose bars differ in length")
    metre = first.metre()
    bars = _bars(voices, metre)
    ordered = sorted(
        (Note(number, n.start, n.length, n.pitch) for number, voice in enumerate(voices) for n in voice.notes),
        key=lambda note: (note.start, note.voice),
    )
    piece = Piece(kind="chorale", key=Key(0), metre=metre, tempo=72, voices=4, bars=tuple(bars), notes=tuple(ordered))
    _check(piece)
    fifths = int(parts[0].findtext(".//key/fifths", "0"))
    fitting = [key for tonic in range(12) for mode in MODES if (key := Key(tonic, mode)).fifths == fifths]
    bass_and_tune = [note for note in ordered if note.voice in (0, 3)]
    return replace(piece, key=max(fitting, key=lambda key: likeness(bass_and_tune, key)))


def _bars(voices: list[_Voice], metre: Metre) -> list[Bar]:
    """Bars by the metre, cut where a line of the hymn ends: there Bach puts a fermata. Each line is a part."""
    end = max(note.start + note.length for voice in voices for note in voice.notes)
    first = voices[0].lengths[0] % metre.ticks
    lines = [first, *range(first + metre.ticks, end, metre.ticks)] if first else [*range(0, end, metre.ticks)]
    phrases = [tick for tick in sorted(voices[0].fermatas) if _all_end(voices, tick) and 0 < tick < end]
    bars: list[Bar] = []
    begin = 0
    for stop in [*phrases, end]:
        edges = [begin, *(line for line in lines if begin < line < stop), stop]
        if stop < end and len(edges) < 3:
            continue  # a line within a bar: it goes with the next
        for number, (start, next_) in enumerate(pairwise(edges)):
            pickup = number == 0 and (start - first) % metre.ticks != 0 and len(edges) > 2
            bars.append(Bar(start, next_ - start, part=number == 0, pickup=pickup))
        begin = stop
    return bars


def _all_end(voices: list[_Voice], tick: int) -> bool:
    return all(any(n.start + n.length == tick for n in voice.notes) for voice in voices)


def _check(piece: Piece) -> None:
    if str(piece.metre) not in METRES or piece.full_bars > LONGEST:
        raise Unreadable("too long, or of a metre that is rare")
    grid = frozenset(places())
    for number, bar in enumerate(piece.bars):
        ends_part = number + 1 == len(piece.bars) or piece.bars[number + 1].part
        if bar.length != piece.metre.ticks and not (bar.pickup or (ends_part and bar.length < piece.metre.ticks)):
            raise Unreadable("its bars don't add up")
        shift = piece.metre.ticks - bar.length if bar.pickup else 0
        inside = [note for note in piece.notes if bar.start <= note.start < bar.start + bar.length]
        if any(note.start - bar.start + shift not in grid for note in inside):
            raise Unreadable("lengths that are on no grid")


class _Voice:
    """One part of a score: its notes, of each bar the length, and where a fermata's note ends."""

    def __init__(self, part: ElementTree.Element) -> None:
        self.notes: list[Note] = []
        self.lengths: list[int] = []
        self.fermatas: set[int] = set()
        self._divisions = 1
        self._times: list[str] = []
        now = 0
        for measure in part.findall("measure"):
            length = self._measure(measure, now)
            self.lengths.append(length)
            now += length

    def metre(self) -> Metre:
        if len(set(self._times)) != 1:
            raise Unreadable("it changes its metre")
        try:
            return Metre.read(self._times[0])
        except ValueError:
            raise Unreadable("a metre that can't be read") from None

    def _measure(self, measure: ElementTree.Element, start: int) -> int:
        at = furthest = 0
        for element in measure:
            if element.tag == "attributes":
                self._attributes(element)
                continue
            if element.tag not in ("note", "forward", "backup"):
                continue
            if element.find("grace") is not None or element.find("chord") is not None:
                continue  # ornaments, and a second note where a voice divides
            long = self._ticks(element)
            if element.tag == "backup":
                at -= long
                continue
            if element.tag == "note" and element.find("pitch") is not None:
                self._note(element, start + at, long)
            at += long
            furthest = max(furthest, at)
        return furthest

    def _attributes(self, element: ElementTree.Element) -> None:
        self._divisions = int(element.findtext("divisions", str(self._divisions)))
        if element.find("time") is not None:
            self._times.append(f"{element.findtext('time/beats')}/{element.findtext('time/beat-type')}")

    def _ticks(self, element: ElementTree.Element) -> int:
        ticks = int(element.findtext("duration", "0")) * TICKS / self._divisions
        if ticks != int(ticks):
            raise Unreadable("lengths that are on no grid")
        return int(ticks)

    def _note(self, element: ElementTree.Element, start: int, length: int) -> None:
        if element.findtext("voice", "1") not in ("1", "2", "3", "4") or (self.notes and start < self._end):
            raise Unreadable("a voice that divides")
        step = LETTERS[element.findtext("pitch/step", "C")] + int(float(element.findtext("pitch/alter", "0")))
        pitch = 12 * (int(element.findtext("pitch/octave", "4")) + 1) + step
        ties = {tie.get("type") for tie in element.findall("tie")}
        if "stop" in ties and self.notes and self.notes[-1].pitch == pitch and self._end == start:
            self.notes[-1] = replace(self.notes[-1], length=self.notes[-1].length + length)
        else:
            self.notes.append(Note(0, start, length, pitch))
        if element.find("notations/fermata") is not None:
            self.fermatas.add(start + length)

    @property
    def _end(self) -> int:
        return self.notes[-1].start + self.notes[-1].length
