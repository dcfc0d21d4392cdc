"""Writes a piece as a standard MIDI file (The Complete MIDI 1.0 Detailed Specification, "Standard MIDI Files 1.0")."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

from shared.music.instruments import program
from shared.music.piece import TICKS, Note, Piece

FINER = 20  # MIDI ticks for each of ours: 480 a quarter, which every program knows
SOUNDING = 0.95  # of its length: notes of one pitch must be let go to sound again
DOWNBEAT, BEAT, OTHER = 100, 90, 80  # velocities


def midi(piece: Piece, instrument: str, text: str = "") -> bytes:
    """The file: a track of tempo, metre and key, and one for each voice. Raises `KeyError` for no such instrument.

    `text`: ASCII, which the first track holds as a text event.
    """
    tracks = [_conductor(piece, text), *(_voice(piece, voice, program(instrument)) for voice in range(piece.voices))]
    head = b"MThd" + struct.pack(">IHHH", 6, 1, len(tracks), TICKS * FINER)
    return head + b"".join(b"MTrk" + struct.pack(">I", len(track)) + track for track in tracks)


def velocity(piece: Piece, note: Note) -> int:
    """How hard it is struck: most on a bar's beginning, least between the beats."""
    bar = next((b for b in reversed(piece.bars) if b.start <= note.start), None)
    if bar is None:
        return OTHER
    place = note.start - bar.start + (piece.metre.ticks - bar.length if bar.pickup else 0)
    return DOWNBEAT if place == 0 else BEAT if place % piece.metre.beat == 0 else OTHER


def _conductor(piece: Piece, text: str) -> bytes:
    quarter = round(60e6 / piece.tempo * TICKS / piece.metre.beat)  # microseconds
    unit = piece.metre.unit.bit_length() - 1
    minor = piece.key.mode in ("minor", "dorian")
    told = [(0, b"\xff\x01" + _number(len(text)) + text.encode("ascii"))] if text else []
    return _track(
        [
            *told,
            (0, b"\xff\x51\x03" + struct.pack(">I", quarter)[1:]),
            (0, b"\xff\x58\x04" + bytes([piece.metre.beats, unit, piece.metre.beat, 8])),
            (0, b"\xff\x59\x02" + struct.pack("bB", piece.key.fifths, minor)),
        ],
        piece.ticks,
    )


def _voice(piece: Piece, voice: int, number: int) -> bytes:
    events: list[tuple[int, bytes]] = [(0, bytes([0xC0 | voice, number]))]
    for note in (n for n in piece.notes if n.voice == voice):
        start = note.start * FINER
        end = start + max(1, int(note.length * FINER * SOUNDING))
        events.append((start, bytes([0x90 | voice, note.pitch, velocity(piece, note)])))
        events.append((end, bytes([0x80 | voice, note.pitch, 0])))
    return _track(sorted(events, key=lambda event: event[0]), piece.ticks)


def _track(events: Iterable[tuple[int, bytes]], end: int) -> bytes:
    written, now = b"", 0
    for at, event in events:
        written += _number(at - now) + event
        now = at
    return written + _number(max(0, end * FINER - now)) + b"\xff\x2f\x00"


def texts(data: bytes) -> Iterator[str]:
    """The text events at the beginning of a MIDI file's first track; none of a file of another kind or a broken one."""
    if data[:4] != b"MThd" or data[14:18] != b"MTrk":
        return
    at = 22
    while data[at : at + 2] == b"\0\xff":
        kind, (length, start) = data[at + 2 : at + 3], _read(data, at + 3)
        if kind == b"\x01":
            yield data[start : start + length].decode("ascii", "replace")
        at = start + length


def _read(data: bytes, at: int) -> tuple[int, int]:
    """A variable-length quantity of four bytes at most, and where it ends."""
    value = 0
    for end in range(at, min(at + 4, len(data))):
        value = value << 7 | data[end] & 0x7F
        if not data[end] & 0x80:
            return value, end + 1
    return 0, len(data)


def _number(value: int) -> bytes:
    """A variable-length quantity: seven bits a byte, the high bit set on all but the last."""
    parts = [value & 0x7F]
    while value := value >> 7:
        parts.append(value & 0x7F | 0x80)
    return bytes(reversed(parts))
