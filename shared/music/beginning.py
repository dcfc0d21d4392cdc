"""A tune of somebody's own that a composition goes on from: read from a file, on our grid, its first bars kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from shared.errors import InvalidRequest
from shared.music import midi_reading, musicxml_reading
from shared.music.features import heard_key
from shared.music.language import METRES, places
from shared.music.piece import TICKS, Bar, Metre, Note, Piece
from shared.music.told import Played, Told

MAX_BYTES = 2_000_000
_LOW, _HIGH = 24, 105  # MIDI: what is taken of a file's notes
# Of a note's length: a shorter silence after it is how it is played, not how it is written.
_GAP, _LET_GO = 0.2, 0.12


def begin(data: bytes, bars: int) -> Piece:
    """The first bars of a MIDI or a MusicXML file; its kind is left open.

    Raises `InvalidRequest` for another file, a broken one, or one without a tune that can be gone on from.
    """
    if len(data) > MAX_BYTES:
        raise InvalidRequest(f"The tune's file is larger than {MAX_BYTES // 1_000_000} MB. Keep its beginning only.")
    if bars < 1:
        raise InvalidRequest("Keep at least one bar of the tune, or take the file away.")
    return _cut(_piece(_told(data)), bars)


def _told(data: bytes) -> Told:
    if data.startswith(b"MThd"):
        return midi_reading.read(data)
    if b"<score-partwise" in data[:4000]:
        return musicxml_reading.read(data)
    raise InvalidRequest("A tune to go on from must be a MIDI (.mid) or an uncompressed MusicXML file.")


def _piece(told: Told) -> Piece:
    metre = told.metre or Metre(4, 4)
    if str(metre) not in METRES:
        raise InvalidRequest(f"The tune is in {metre}, which this model doesn't write. It writes {', '.join(METRES)}.")
    told.notes = [note for note in told.notes if _LOW <= note.pitch <= _HIGH]
    if not told.notes:
        raise InvalidRequest("There are no notes in this file. Choose another, or take it away.")
    voices = _voices(told.notes)
    pickup = round(told.pickup * TICKS)
    offset = metre.ticks - pickup if pickup else 0
    notes = [note for number, voice in enumerate(voices) for note in _on_grid(voice, number, offset, metre, told.exact)]
    end = max(note.start + note.length for note in notes)
    key = told.key or heard_key(notes)
    tempo = (told.tempo or 100.0) * TICKS / metre.beat
    whole = tuple(Bar(start, metre.ticks) for start in range(pickup, end, metre.ticks))
    bars = (Bar(0, pickup, part=True, pickup=True), *whole) if pickup else (replace(whole[0], part=True), *whole[1:])
    ordered = tuple(sorted(notes, key=lambda note: (note.start, note.voice)))
    return Piece(kind="", key=key, metre=metre, tempo=tempo, voices=len(voices), bars=bars, notes=ordered)


def _voices(notes: Sequence[Played]) -> list[list[Played]]:
    """Four where the file has four that never sound two notes at once; else the highest notes alone."""
    by_voice: dict[int, list[Played]] = {}
    for note in sorted(notes, key=lambda n: (n.start, -n.pitch)):
        by_voice.setdefault(note.voice, []).append(note)
    if len(by_voice) == 4 and all(map(_single, by_voice.values())):
        return sorted(by_voice.values(), key=lambda voice: -sum(n.pitch for n in voice) / len(voice))
    melody: list[Played] = []
    for note in sorted(notes, key=lambda n: (n.start, -n.pitch)):
        before = melody[-1] if melody else None
        if before and note.start < before.start + 0.05:
            continue  # struck together with a higher one
        if before and note.start < before.start + before.length - 0.05:
            if note.pitch < before.pitch:
                continue  # below one that sounds on
            melody[-1] = replace(before, length=note.start - before.start)
        melody.append(note)
    return [melody]


def _single(voice: Sequence[Played]) -> bool:
    return all(one.start + one.length <= other.start + 0.05 for one, other in pairwise(voice))


def _on_grid(voice: Sequence[Played], number: int, offset: int, metre: Metre, exact: bool) -> Iterator[Note]:
    """The voice's notes at places of the grid, each as long as it is written and not only as it is held."""
    starts = [_place(note.start * TICKS, offset, metre) for note in voice]
    for note, start, after in zip(voice, starts, [*starts[1:], None], strict=True):
        end = _place((note.start + note.length) * TICKS, offset, metre)
        if not exact:
            end = _written(start, end, after)
        if after is not None:
            end = min(end, after)
        if end > start:
            yield Note(number, start, end - start, note.pitch)


def _written(start: int, end: int, after: int | None) -> int:
    """Where a note that is held until `end` is likely to end on paper."""
    if after is not None and after - end <= _GAP * (after - start):
        return after
    half = TICKS // 2
    fuller = -(-end // half) * half
    return fuller if fuller - end <= _LET_GO * (fuller - start) else end


def _place(ticks: float, offset: int, metre: Metre) -> int:
    """The place of the grid nearest to so many ticks. `offset`: where in its bar the piece begins."""
    bar, within = divmod(round(ticks) + offset, metre.ticks)
    allowed = [place for place in (*places(), metre.ticks) if place <= metre.ticks]
    return max(0, bar * metre.ticks + min(allowed, key=lambda place: abs(place - within)) - offset)


def _cut(piece: Piece, bars: int) -> Piece:
    """So many whole bars, and a pick-up before them."""
    kept = piece.bars[: bars + piece.bars[0].pickup]
    end = kept[-1].start + kept[-1].length
    notes = tuple(replace(note, length=min(note.length, end - note.start)) for note in piece.notes if note.start < end)
    if not any(note.voice == 0 for note in notes):
        raise InvalidRequest("There is no note in the bars that are kept. Keep more of them.")
    return replace(piece, bars=kept, notes=notes)
