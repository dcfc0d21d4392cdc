"""Makes pieces of the printed tunes and chorales: kind, key, metre, parts; only what is whole and of a kind."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import abc_tunes
from abc_tunes import RawBar, Tune, Unreadable

from shared.music.features import likeness
from shared.music.language import METRES, places
from shared.music.piece import MODES, TICKS, Bar, Key, Metre, Note, Piece

# O'Neill's sections by the numbers of their tunes (his own table of contents). None: the tune's own words say.
SECTIONS: list[tuple[int, str | None]] = [
    *[(625, "air"), (700, "planxty"), (1115, "jig"), (1175, "slip_jig"), (1555, "reel"), (1780, "hornpipe")],
    (1850, None),
]
# What the books and their encoders call a kind -> what the model knows it by. A clog is a hornpipe that is stepped, a
# fling a strathspey.
CALLED = {
    **{"reel": "reel", "jig": "jig", "double jig": "jig", "slip jig": "slip_jig", "slipjig": "slip_jig"},
    **{"hornpipe": "hornpipe", "clog": "hornpipe", "strathspey": "strathspey", "fling": "strathspey"},
    **{"highland fling": "strathspey", "air": "air"},
}
FITTING = {
    "reel": {"2/2"},
    "jig": {"6/8", "12/8"},
    "slip_jig": {"9/8"},
    "hornpipe": {"2/2"},
    "strathspey": {"4/4"},
}
LONGEST = 64  # bars
SIXTEENTH = TICKS // 4


@dataclass(frozen=True)
class Known:
    """A piece, and where it is from."""

    source: str
    piece: Piece


def tunes(corpus: Path, left_out: Counter[str]) -> Iterator[Known]:
    """Every tune of both books that is whole, each number of O'Neill's once. Counts the others by reason."""
    for file in sorted(corpus.glob("ryansMammoth/*.abc")):
        for text in abc_tunes.split(file.read_text("latin-1")):
            yield from _one(f"ryansMammoth/{file.name}", text, left_out, ryan=True)
    seen: set[int] = set()
    for file in sorted(corpus.glob("oneills1850/*.abc")):
        for text in abc_tunes.split(file.read_text("latin-1")):
            number = int(re.findall(r"X:\s*(\d+)", text)[0])
            if number in seen:
                left_out["another copy of the same number"] += 1
                continue
            for known in _one(f"oneills1850/{file.name}#{number}", text, left_out, ryan=False):
                seen.add(number)
                yield known


def _one(source: str, text: str, left_out: Counter[str], *, ryan: bool) -> Iterator[Known]:
    try:
        tune = abc_tunes.parse(text)
        if ryan and not any("ryan" in book.lower() for book in tune.fields.get("B", [])):
            raise Unreadable("named by its encoder as from Cole's book of 1940 alone")
        yield Known(source, piece_of(tune, _kind(tune, ryan)))
    except Unreadable as error:
        left_out[str(error)] += 1


def _kind(tune: Tune, ryan: bool) -> str:
    told = " ".join(tune.fields.get("R", [])).strip().lower()
    if not ryan:
        number = int(re.findall(r"\d+", tune.fields["X"][0])[0])
        section = next(kind for last, kind in [*SECTIONS, (10**9, None)] if number <= last)
        if section:
            return section
    if told not in CALLED:
        raise Unreadable("of no kind that has enough tunes")
    return CALLED[told]


def piece_of(tune: Tune, kind: str) -> Piece:
    """The tune on the grid. Raises `Unreadable` where its bars don't add up."""
    parts = _parts(tune.bars)
    metre, parts = _metre(tune, kind, parts)
    if str(metre) not in METRES or str(metre) not in FITTING.get(kind, METRES):
        raise Unreadable("a metre that its kind has not")
    bars, notes = _laid(parts, metre)
    if sum(not bar.pickup for bar in bars) > LONGEST or len(notes) < 16:
        raise Unreadable("too long or too short")
    piece = Piece(kind=kind, key=Key(0), metre=metre, tempo=100, voices=1, bars=tuple(bars), notes=tuple(notes))
    return replace(piece, key=_key(tune, notes))


def _parts(bars: list[RawBar]) -> list[list[RawBar]]:
    """Split at double lines and repeats. Of two endings the last is kept; what is repeated stands once."""
    parts: list[list[RawBar]] = [[]]
    first_ending = False
    for bar in bars:
        first_ending = first_ending or bar.ending == 1
        if not first_ending:
            parts[-1].append(bar)
            if bar.strong:
                parts.append([])
        elif bar.strong:
            first_ending = False
    return [part for part in parts if part]


def _metre(tune: Tune, kind: str, parts: list[list[RawBar]]) -> tuple[Metre, list[list[RawBar]]]:
    """Reels and hornpipes that Ryan prints in 2/4 with sixteenths are written in 2/2 with eighths, as O'Neill does."""
    try:
        metre = Metre.read(tune.metre)
    except ValueError:
        raise Unreadable("a metre that can't be read") from None
    if kind in ("reel", "hornpipe") and tune.metre == "4/4":
        return Metre(2, 2), parts
    lengths = [sound.length * TICKS for part in parts for bar in part for sound in bar.sounds]
    quick = sum(length <= SIXTEENTH for length in lengths) > len(lengths) / 4
    if kind in ("reel", "hornpipe", "strathspey") and tune.metre == "2/4" and quick:
        for sound in (sound for part in parts for bar in part for sound in bar.sounds):
            sound.length *= 2
        return Metre(4, 4) if kind == "strathspey" else Metre(2, 2), parts
    if kind == "strathspey" and tune.metre == "2/2":
        return Metre(4, 4), parts
    return metre, parts


def _laid(parts: list[list[RawBar]], metre: Metre) -> tuple[list[Bar], list[Note]]:
    bars: list[Bar] = []
    notes: list[Note] = []
    now, grid, tied = 0, frozenset(places()), False
    for part in parts:
        whole = [sum((s.length for s in bar.sounds), Fraction()) * TICKS for bar in part]
        pickup = len(part) > 1 and whole[0] < metre.ticks
        if pickup and bars and bars[-1].length + whole[0] > metre.ticks:
            raise Unreadable("a pick-up for which the bar before leaves no room")
        for number, bar in enumerate(part):
            total, first, last = whole[number], number == 0, number == len(part) - 1
            if total > metre.ticks or (total < metre.ticks and not (last or (first and pickup))):
                raise Unreadable("its bars don't add up")
            if total.denominator != 1:
                raise Unreadable("lengths that are on no grid")
            shift = metre.ticks - int(total) if first and pickup else 0
            bars.append(Bar(now, int(total), part=first, pickup=first and pickup))
            at = Fraction(now)
            for sound in bar.sounds:
                long = sound.length * TICKS
                if at.denominator != 1 or (int(at) - now + shift) not in grid:
                    raise Unreadable("lengths that are on no grid")
                if sound.pitch is not None and tied and notes and notes[-1].pitch == sound.pitch:
                    notes[-1] = replace(notes[-1], length=int(at + long) - notes[-1].start)
                elif sound.pitch is not None:
                    notes.append(Note(0, int(at), int(long), sound.pitch))
                tied, at = sound.tied and sound.pitch is not None, at + long
            now += int(total)
    if all(bar.pickup for bar in bars) or not notes:
        raise Unreadable("nothing in it")
    return bars, notes


def _key(tune: Tune, notes: list[Note]) -> Key:
    """Of the modes that share the printed signature, the one that the notes fit best.

    A book's signature says which notes are sharp; encoders often wrote it down as the major key that has it.
    """
    candidates = [key for tonic in range(12) for mode in MODES if (key := Key(tonic, mode)).fifths == tune.fifths]
    if not candidates:
        raise Unreadable("a signature that no mode here has")

    def fit(key: Key) -> float:
        as_told = key.tonic == tune.tonic and MODES[key.mode] == abc_tunes.MODES[tune.mode]
        return likeness(notes, key) + 0.1 * as_told

    return max(candidates, key=fit)
