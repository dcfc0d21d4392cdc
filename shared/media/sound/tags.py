"""The comment texts that a sound file carries: WAV, FLAC, Ogg and MP3. Nothing of the sound is decoded.

FLAC: RFC 9639. Ogg pages: RFC 3533. Vorbis comments: Xiph's "Vorbis I specification", 5. ID3v2.3 and 2.4: id3.org.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from itertools import islice

from shared.media.sound import riff

MAX_TEXT = 1_000_000  # bytes of one comment
_MOST_COMMENTS = 200
_MOST_PAGES = 400  # of an Ogg file's head: 64 KiB each at most
_FLAC_COMMENTS = 4


def comments(data: bytes) -> Iterator[str]:
    """The comments of a file of these kinds; none for another kind, and what can be read of a broken one."""
    kind = next((read for magic, read in _READERS.items() if data.startswith(magic)), None)
    if kind is not None:
        yield from islice(kind(data), _MOST_COMMENTS)


def _wav(data: bytes) -> Iterator[str]:
    if data[8:12] == b"WAVE":
        yield from riff.comments(data, MAX_TEXT)


def _flac(data: bytes) -> Iterator[str]:
    at, last = 4, False
    while not last and at + 4 <= len(data):
        last, kind = bool(data[at] & 0x80), data[at] & 0x7F
        length = int.from_bytes(data[at + 1 : at + 4], "big")
        if kind == _FLAC_COMMENTS:
            yield from _vorbis(data[at + 4 : at + 4 + length])
        at += 4 + length


def _ogg(data: bytes) -> Iterator[str]:
    """The second packet of the stream, whose pieces lie in its first pages."""
    packets, packet, at = [], b"", 0
    for _ in range(_MOST_PAGES):
        if data[at : at + 4] != b"OggS" or at + 27 > len(data):
            break
        lacing = data[at + 27 : at + 27 + data[at + 26]]
        at += 27 + len(lacing)
        for length in lacing:
            packet += data[at : at + length]
            at += length
            if length < 255:
                packets.append(packet)
                packet = b""
        if len(packets) >= 2 or len(packet) > 2 * MAX_TEXT:
            break
    for found in packets[1:2]:
        for head in (b"\x03vorbis", b"OpusTags"):
            if found.startswith(head):
                yield from _vorbis(found[len(head) :])


def _vorbis(block: bytes) -> Iterator[str]:
    """Comments as `NAME=text`, each after its length; the values of those that are called COMMENT or DESCRIPTION."""
    try:
        at = 4 + struct.unpack_from("<I", block)[0]
        count = struct.unpack_from("<I", block, at)[0]
        at += 4
        for _ in range(min(count, _MOST_COMMENTS)):
            length = struct.unpack_from("<I", block, at)[0]
            name, _, text = block[at + 4 : at + 4 + min(length, MAX_TEXT)].partition(b"=")
            if name.upper() in {b"COMMENT", b"DESCRIPTION"}:
                yield text.decode("utf-8", "replace")
            at += 4 + length
    except struct.error:
        return


def _mp3(data: bytes) -> Iterator[str]:
    """The COMM frames of an ID3v2.3 or 2.4 tag: an encoding, a language, a description, the text."""
    version, flags = data[3], data[5]
    end = min(10 + _syncsafe(data[6:10]), len(data))
    at = 10
    if version not in {3, 4} or flags & 0x40:  # an extended header is nothing that this project writes
        return
    while at + 10 <= end and data[at : at + 4].isalnum():
        size = _syncsafe(data[at + 4 : at + 8]) if version == 4 else int.from_bytes(data[at + 4 : at + 8], "big")
        body = data[at + 10 : min(at + 10 + size, end)]
        if data[at : at + 4] == b"COMM" and 5 < len(body) <= MAX_TEXT:
            yield _comment(body)
        at += 10 + size


def _comment(body: bytes) -> str:
    encoding = {0: "latin-1", 1: "utf-16", 2: "utf-16-be", 3: "utf-8"}.get(body[0], "latin-1")
    wide = encoding.startswith("utf-16")
    text = body[4:].decode(encoding, "replace") if not wide else _wide(body[4:], encoding)
    return text.partition("\0")[2] if "\0" in text else text


def _wide(text: bytes, encoding: str) -> str:
    """Both halves begin with a byte order mark of their own."""
    for at in range(0, len(text) - 1, 2):
        if text[at : at + 2] == b"\0\0":
            return "\0" + text[at + 2 :].decode(encoding, "replace").rstrip("\0")
    return text.decode(encoding, "replace")


def _syncsafe(four: bytes) -> int:
    """Seven bits a byte, so that no byte looks like the beginning of sound."""
    number = 0
    for byte in four:
        number = number << 7 | byte & 0x7F
    return number


_READERS: dict[bytes, Callable[[bytes], Iterator[str]]] = {
    b"RIFF": _wav,
    b"fLaC": _flac,
    b"OggS": _ogg,
    b"ID3": _mp3,
}
