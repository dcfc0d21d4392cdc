"""Writes a piece as MusicXML 4.0 (https://www.w3.org/2021/06/musicxml40/): a staff for a tune, two for four voices."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr, unescape

from shared.music.instruments import instruments
from shared.music.piece import TICKS, Bar, Note, Piece, spell

# Ticks -> the note's name and its dots, longest first; those in triplets after the plain ones.
SHAPES = {
    **{144: ("whole", 1), 96: ("whole", 0), 72: ("half", 1), 48: ("half", 0), 36: ("quarter", 1), 24: ("quarter", 0)},
    **{18: ("eighth", 1), 12: ("eighth", 0), 9: ("16th", 1), 6: ("16th", 0), 3: ("32nd", 0)},
}
TRIPLETS = {32: ("half", 0), 16: ("quarter", 0), 8: ("eighth", 0), 4: ("16th", 0)}
FLAGS = {"eighth": 1, "16th": 2, "32nd": 3}
SOFTWARE = "Generative-AI playgrounds"
_SIGNS = {-2: "flat-flat", -1: "flat", 0: "natural", 1: "sharp", 2: "double-sharp"}


@dataclass(frozen=True)
class Sign:
    """A note or rest as it is drawn. `start` from the bar's beginning; `pitch` None is a rest."""

    start: int
    length: int
    pitch: int | None
    tie_in: bool = False
    tie_out: bool = False

    @property
    def triplet(self) -> bool:
        """Whether it is one of three in the time of two."""
        return self.length in TRIPLETS

    @property
    def flags(self) -> int:
        """How many flags, or beams, it has."""
        return FLAGS.get((TRIPLETS if self.triplet else SHAPES)[self.length][0], 0)


def musicxml(piece: Piece, instrument: str, title: str = "", fields: Mapping[str, str] | None = None) -> str:
    """The score. Raises `KeyError` for an unknown instrument. `fields`: more to say of it, by name."""
    label = instruments()[instrument]["label"]
    head = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 '
        'Partwise//EN" "http://www.musicxml.org/dtds/partwise.dtd">\n<score-partwise version="4.0">'
        f"<work><work-title>{escape(title or name(piece))}</work-title></work>{_identification(fields or {})}"
        f'<part-list><score-part id="P1"><part-name>{escape(label)}</part-name>'
        f'<score-instrument id="I1"><instrument-name>{escape(label)}</instrument-name></score-instrument>'
        f'<midi-instrument id="I1"><midi-program>{instruments()[instrument]["program"] + 1}</midi-program>'
        '</midi-instrument></score-part></part-list><part id="P1">'
    )
    bars = measures(piece)
    return head + "".join(_measure(piece, bars, number) for number in range(len(bars))) + "</part></score-partwise>"


def _identification(fields: Mapping[str, str]) -> str:
    """What made the score, and the fields; the format keeps a place for those of each program."""
    told = "".join(
        f"<miscellaneous-field name={quoteattr(name)}>{escape(text)}</miscellaneous-field>"
        for name, text in fields.items()
    )
    more = f"<miscellaneous>{told}</miscellaneous>" if told else ""
    return f"<identification><encoding><software>{SOFTWARE}</software></encoding>{more}</identification>"


def field_of(data: bytes, name: str) -> str | None:
    """A field of such a score, None where there is none. The file is not parsed: anybody may have written it."""
    found = re.search(rf'<miscellaneous-field name="{re.escape(name)}">([^<]*)<'.encode(), data)
    return unescape(found[1].decode("utf-8", "replace")) if found else None


def name(piece: Piece) -> str:
    """What a piece without a name is called: "Slip jig in G major"."""
    return f"{piece.kind.replace('_', ' ').capitalize()} in {piece.key}"


def measures(piece: Piece) -> list[Bar]:
    """The bars as they are drawn: in four voices, one that a line's end divides is one bar again."""
    bars: list[Bar] = []
    for bar in piece.bars:
        before = bars[-1] if bars else None
        if piece.voices > 1 and bar.pickup and before and before.length + bar.length == piece.metre.ticks:
            bars[-1] = Bar(before.start, piece.metre.ticks, before.part, before.pickup)
        else:
            bars.append(bar)
    return bars


def _measure(piece: Piece, bars: list[Bar], number: int) -> str:
    bar = bars[number]
    parts = [f'<measure number="{number + 1}"{_implicit(piece, bar)}>']
    if number == 0:
        parts.append(_attributes(piece))
    for voice in range(piece.voices):
        if voice:
            parts.append(f"<backup><duration>{bar.length}</duration></backup>")
        parts += _voice(piece, bar, voice)
    last = number == len(bars) - 1
    if last or (bars[number + 1].part and piece.voices == 1):
        style = "light-heavy" if last else "light-light"
        parts.append(f'<barline location="right"><bar-style>{style}</bar-style></barline>')
    return "".join([*parts, "</measure>"])


def _implicit(piece: Piece, bar: Bar) -> str:
    return ' implicit="yes"' if bar.length < piece.metre.ticks else ""


def _attributes(piece: Piece) -> str:
    staves = 2 if piece.voices > 1 else 1
    symbol = ' symbol="cut"' if str(piece.metre) == "2/2" else ' symbol="common"' if str(piece.metre) == "4/4" else ""
    clefs = [("G", 2), ("F", 4)][:staves]
    beat, dots = SHAPES[piece.metre.beat]
    return (
        f"<attributes><divisions>{TICKS}</divisions><key><fifths>{piece.key.fifths}</fifths>"
        f"<mode>{piece.key.mode}</mode></key><time{symbol}><beats>{piece.metre.beats}</beats>"
        f"<beat-type>{piece.metre.unit}</beat-type></time><staves>{staves}</staves>"
        + "".join(
            f'<clef number="{i + 1}"><sign>{sign}</sign><line>{line}</line></clef>'
            for i, (sign, line) in enumerate(clefs)
        )
        + '</attributes><direction placement="above"><direction-type><metronome>'
        f"<beat-unit>{beat}</beat-unit>{'<beat-unit-dot/>' * dots}<per-minute>{piece.tempo:g}</per-minute></metronome>"
        f'</direction-type><sound tempo="{piece.tempo * piece.metre.beat / TICKS:g}"/></direction>'
    )


def _voice(piece: Piece, bar: Bar, voice: int) -> Iterator[str]:
    signs = drawn(piece, bar, voice)
    beams, tuplets = _beams(piece, bar, signs), _tuplets(signs)
    in_bar: dict[tuple[str, int], int] = {}
    for number, sign in enumerate(signs):
        yield _note(piece, sign, voice, beams[number], tuplets.get(number, ""), in_bar)


def drawn(piece: Piece, bar: Bar, voice: int) -> list[Sign]:
    """The voice's notes and rests within the bar, each of a length that has a sign; ties where one was divided."""
    end, at = bar.start + bar.length, bar.start
    signs: list[Sign] = []
    for note in piece.notes:
        if note.voice != voice or note.start >= end or note.start + note.length <= bar.start:
            continue
        start, stop = max(note.start, bar.start), min(note.start + note.length, end)
        signs += _divided(at - bar.start, start - at, None)
        signs += _divided(start - bar.start, stop - start, note, start > note.start, stop < note.start + note.length)
        at = stop
    return [*signs, *_divided(at - bar.start, end - at, None)]


def _divided(start: int, length: int, note: Note | None, tie_in: bool = False, tie_out: bool = False) -> list[Sign]:
    signs: list[Sign] = []
    while length > 0:
        known = TRIPLETS if length % 3 else SHAPES
        long = next((ticks for ticks in known if ticks <= length), None) or next(
            t for t in SHAPES if t <= max(length, 3)
        )
        signs.append(Sign(start, long, note.pitch if note else None, tie_in or bool(signs), True))
        start, length = start + long, length - long
    if signs:
        last = signs[-1]
        signs[-1] = Sign(last.start, last.length, last.pitch, last.tie_in, tie_out)
    return signs


def _note(piece: Piece, sign: Sign, voice: int, beams: str, tuplet: str, in_bar: dict[tuple[str, int], int]) -> str:
    shape, dots = (TRIPLETS if sign.triplet else SHAPES)[sign.length]
    staff = 1 + (voice > 1) if piece.voices > 1 else 1
    ties = "" if sign.pitch is None else '<tie type="stop"/>' * sign.tie_in + '<tie type="start"/>' * sign.tie_out
    tied = ties.replace("<tie ", "<tied ")
    stem = f"<stem>{'up' if voice % 2 == 0 else 'down'}</stem>" if piece.voices > 1 else ""
    modified = sign.triplet
    return (
        f"<note>{_pitch(piece, sign)}<duration>{sign.length}</duration>{ties}<voice>{voice + 1}</voice>"
        f"<type>{shape}</type>{'<dot/>' * dots}{_accidental(piece, sign, in_bar)}"
        + "<time-modification><actual-notes>3</actual-notes><normal-notes>2</normal-notes></time-modification>"
        * modified
        + f"{stem}<staff>{staff}</staff>{beams}"
        + (f"<notations>{tied}{tuplet}</notations>" if tied or tuplet else "")
        + "</note>"
    )


def _pitch(piece: Piece, sign: Sign) -> str:
    if sign.pitch is None:
        return "<rest/>"
    letter, alter, octave = spell(sign.pitch, piece.key.fifths)
    return f"<pitch><step>{letter}</step>{f'<alter>{alter}</alter>' * (alter != 0)}<octave>{octave}</octave></pitch>"


def _accidental(piece: Piece, sign: Sign, in_bar: dict[tuple[str, int], int]) -> str:
    """The sign that must be drawn: where the note differs from the signature, or from what stood in the bar before."""
    if sign.pitch is None or sign.tie_in:
        return ""
    letter, alter, octave = spell(sign.pitch, piece.key.fifths)
    place = "FCGDAEB".index(letter)
    fifths = piece.key.fifths
    signed = 1 if place < fifths else -1 if place >= 7 + fifths else 0
    shown = in_bar.get((letter, octave), signed)
    in_bar[letter, octave] = alter
    return "" if alter == shown else f"<accidental>{_SIGNS[alter]}</accidental>"


def _tuplets(signs: list[Sign]) -> dict[int, str]:
    """Where brackets of three begin and end: a group ends where it has filled a plain length."""
    marks: dict[int, str] = {}
    first, filled = None, 0
    for number, sign in enumerate(signs):
        if not sign.triplet:
            first, filled = None, 0
            continue
        if first is None:
            first, filled = number, 0
        filled += sign.length
        if filled % 12 == 0:
            marks[first] = '<tuplet type="start" bracket="no"/>'
            marks[number] = '<tuplet type="stop"/>'
            first = None
    return marks


def _beams(piece: Piece, bar: Bar, signs: list[Sign]) -> list[str]:
    """Beams over the notes of one beat (of half a bar in 4/4), level by level."""
    group = 48 if str(piece.metre) == "4/4" else piece.metre.beat
    shift = piece.metre.ticks - bar.length if bar.pickup else 0
    beams = [""] * len(signs)
    for level in (1, 2, 3):
        run: list[int] = []
        for number in range(len(signs) + 1):
            sign = signs[number] if number < len(signs) else None
            fits = sign is not None and sign.pitch is not None and sign.flags >= level
            same = (
                bool(run) and fits and (signs[run[-1]].start + shift) // group == (signs[number].start + shift) // group
            )
            if run and not same:
                _beam(beams, signs, run, level)
                run = []
            if fits:
                run.append(number)
    return beams


def _beam(beams: list[str], signs: list[Sign], run: list[int], level: int) -> None:
    if len(run) == 1:
        (only,) = run
        if level > 1 and beams[only]:
            back = 'number="1">end' in beams[only] or 'number="1">continue' in beams[only]
            beams[only] += f'<beam number="{level}">{"backward" if back else "forward"} hook</beam>'
        return
    for number in run:
        what = "begin" if number == run[0] else "end" if number == run[-1] else "continue"
        beams[number] += f'<beam number="{level}">{what}</beam>'
