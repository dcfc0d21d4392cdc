"""Reads the notes of a MusicXML score, which anybody may have written (https://www.w3.org/2021/06/musicxml40/)."""

from __future__ import annotations

from xml.etree import ElementTree

from shared.errors import InvalidRequest
from shared.music.piece import MODES, Key, Metre
from shared.music.told import MOST_NOTES, Played, Told

_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_BROKEN = "The MusicXML file is damaged. Save it again, or choose another."
_VOICES = 16  # numbers kept for the voices of a part


def read(data: bytes) -> Told:
    """What the score tells. Raises `InvalidRequest`; a file with entities of its own is refused unread."""
    if b"<!ENTITY" in data:
        raise InvalidRequest("The MusicXML file defines entities, which could grow without end. Save it without.")
    try:
        score = ElementTree.fromstring(data)
        told = Told(exact=True)
        for number, part in enumerate(score.findall("part")):
            _Part(told, number).read(part)
    except (ElementTree.ParseError, ValueError, LookupError, ZeroDivisionError, OverflowError, AttributeError):
        raise InvalidRequest(_BROKEN) from None
    return told


class _Part:
    """One part being read. Times are in quarter notes."""

    def __init__(self, told: Told, number: int) -> None:
        self._told, self._number = told, number
        self._divisions, self._now, self._last = 1.0, 0.0, 0.0
        self._tied: dict[tuple[int, int], int] = {}  # voice and pitch -> the note that a tie goes on from

    def read(self, part: ElementTree.Element) -> None:
        start = 0.0
        for number, measure in enumerate(part.findall("measure")):
            self._now = end = start
            for element in measure:
                self._element(element)
                end = max(end, self._now)
            if number == 0 and self._number == 0 and measure.get("implicit") == "yes":
                self._told.pickup = end - start
            start = end

    def _element(self, element: ElementTree.Element) -> None:
        if element.tag == "attributes":
            self._attributes(element)
        elif element.tag == "note":
            self._note(element)
        elif element.tag in ("backup", "forward"):
            length = self._length(element)
            self._now += length if element.tag == "forward" else -length
        tempo = element if element.tag == "sound" else element.find("sound")
        if tempo is not None and tempo.get("tempo") and self._told.tempo is None:
            self._told.tempo = min(max(float(tempo.get("tempo", "")), 10.0), 1000.0)

    def _attributes(self, element: ElementTree.Element) -> None:
        told = self._told
        self._divisions = float(element.findtext("divisions") or self._divisions)
        if told.metre is None and (beats := element.findtext("time/beats")):
            told.metre = Metre(int(beats), int(element.findtext("time/beat-type") or 4))
        if told.key is None and (fifths := element.findtext("key/fifths")):
            mode = element.findtext("key/mode") or "major"
            mode = mode if mode in MODES else "major"
            told.key = Key((int(fifths) * 7 - MODES[mode] * 7) % 12, mode)

    def _length(self, element: ElementTree.Element) -> float:
        return float(element.findtext("duration") or 0) / self._divisions

    def _note(self, element: ElementTree.Element) -> None:
        if element.find("grace") is not None:
            return
        length = self._length(element)
        chord = element.find("chord") is not None
        start = self._last if chord else self._now
        pitch = element.find("pitch")
        if pitch is not None and length > 0:
            self._sound(element, pitch, start, length)
        if not chord:
            self._last, self._now = self._now, self._now + length

    def _sound(self, element: ElementTree.Element, pitch: ElementTree.Element, start: float, length: float) -> None:
        notes = self._told.notes
        voice = self._number * _VOICES + int(element.findtext("voice") or 1) % _VOICES
        alter = round(float(pitch.findtext("alter") or 0))
        number = _STEPS[pitch.findtext("step") or ""] + alter + 12 * (int(pitch.findtext("octave") or "") + 1)
        ties = {tie.get("type") for tie in element.findall("tie")}
        before = self._tied.pop((voice, number), None)
        if "stop" in ties and before is not None:
            begun = notes[before]
            notes[before] = Played(voice, begun.start, start + length - begun.start, number)
        else:
            before = len(notes)
            notes.append(Played(voice, start, length, number))
        if "start" in ties:
            self._tied[voice, number] = before
        if len(notes) > MOST_NOTES:
            raise InvalidRequest(f"The score has more than {MOST_NOTES:,} notes. Keep its beginning only.")
