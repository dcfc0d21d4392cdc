"""Reads the notes of a standard MIDI file, which anybody may have written (Standard MIDI Files 1.0)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from shared.errors import InvalidRequest
from shared.music.piece import Key, Metre
from shared.music.told import MOST_NOTES, Played, Told

_DRUMS = 9  # the channel that General MIDI keeps for them
_BROKEN = "The MIDI file is damaged. Save it again, or choose another."
_TEMPO, _METRE, _KEY, _END = 0x51, 0x58, 0x59, 0x2F
# Bytes that follow the status of a channel's message.
_LENGTHS = {0x80: 2, 0x90: 2, 0xA0: 2, 0xB0: 2, 0xC0: 1, 0xD0: 1, 0xE0: 2}


def read(data: bytes) -> Told:
    """What the file tells; tempo, metre and key are the first it names. Raises `InvalidRequest`."""
    told = Told()
    try:
        head, _, count, division = struct.unpack_from(">IHHH", data, 4)
        if division & 0x8000 or not division:
            raise InvalidRequest("The MIDI file counts in frames of a film, not in beats. Save it with beats.")
        at = 8 + head
        for track in range(min(count, 64)):
            length = struct.unpack_from(">I", data, at + 4)[0]
            _track(data[at + 8 : at + 8 + length], track, division, told)
            at += 8 + length
    except (struct.error, IndexError):
        raise InvalidRequest(_BROKEN) from None
    return told


def _track(data: bytes, track: int, division: int, told: Told) -> None:
    open_notes: dict[tuple[int, int], int] = {}
    for now, status, body in _events(data):
        if status == 0xFF:
            _meta(body[0], body[1:], told)
            continue
        kind, channel = status & 0xF0, status & 0x0F
        if kind not in (0x80, 0x90) or channel == _DRUMS:
            continue
        pitch = body[0]
        begun = open_notes.pop((channel, pitch), None)
        if begun is not None and now > begun:
            told.notes.append(Played(track * 16 + channel, begun / division, (now - begun) / division, pitch))
        if kind == 0x90 and body[1]:
            open_notes[channel, pitch] = now
        if len(told.notes) > MOST_NOTES:
            raise InvalidRequest(f"The file has more than {MOST_NOTES:,} notes. Keep its beginning only.")


def _events(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Time in ticks, status and what follows; of a meta event its kind first. Raises `IndexError` where it breaks."""
    at = now = status = 0
    while at < len(data):
        passed, at = _number(data, at)
        now += passed
        if data[at] & 0x80:
            status, at = data[at], at + 1
        if status in (0xFF, 0xF0, 0xF7):
            start = at + (status == 0xFF)
            length, inner = _number(data, start)
            if status == 0xFF:
                yield now, status, data[at : at + 1] + data[inner : inner + length]
            at = inner + length
        else:
            size = _LENGTHS.get(status & 0xF0, 0)
            if not size or at + size > len(data):
                raise IndexError
            yield now, status, data[at : at + size]
            at += size


def _meta(kind: int, body: bytes, told: Told) -> None:
    if kind == _TEMPO and told.tempo is None and len(body) >= 3 and any(body[:3]):
        told.tempo = 60e6 / int.from_bytes(body[:3], "big")
    elif kind == _METRE and told.metre is None and len(body) >= 2 and body[0] and body[1] < 6:
        told.metre = Metre(body[0], 2 ** body[1])
    elif kind == _KEY and told.key is None and len(body) >= 2:
        fifths, minor = struct.unpack("b", body[:1])[0], body[1] == 1
        told.key = Key((fifths * 7 + 9 * minor) % 12, "minor" if minor else "major") if -7 <= fifths <= 7 else None


def _number(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for _ in range(4):
        value = value << 7 | data[at] & 0x7F
        at += 1
        if not data[at - 1] & 0x80:
            return value, at
    raise IndexError
