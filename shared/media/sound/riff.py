"""WAV files: 16-bit samples with texts in a LIST/INFO chunk, and the texts of a file read back.

The form: "Multimedia Programming Interface and Data Specifications 1.0", IBM and Microsoft 1991.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping

COMMENT, TITLE, SOFTWARE = b"ICMT", b"INAM", b"ISFT"
_PCM = 1


def write(pcm: bytes, sample_rate: int, channels: int, texts: Mapping[bytes, str]) -> bytes:
    """A WAV file. The texts, by their four-letter names, come before the samples, so that a reader finds them soon."""
    width = 2 * channels
    form = struct.pack("<HHIIHH", _PCM, channels, sample_rate, sample_rate * width, width, 16)
    info = b"INFO" + b"".join(_chunk(name, _text(text)) for name, text in texts.items() if text)
    chunks = _chunk(b"fmt ", form) + _chunk(b"LIST", info) + _chunk(b"data", pcm)
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def _text(text: str) -> bytes:
    return text.encode("utf-8", "replace").replace(b"\0", b"") + b"\0"


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def comments(data: bytes, most: int) -> Iterator[str]:
    """The comments of a WAV file, each at most `most` bytes long. A broken file: those that can be read."""
    for name, start, length in _chunks(data, 12, len(data)):
        if name == b"LIST" and data[start : start + 4] == b"INFO":
            for inner, at, size in _chunks(data, start + 4, start + length):
                if inner == COMMENT and size <= most:
                    yield data[at : at + size].split(b"\0", 1)[0].decode("utf-8", "replace")


def _chunks(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, place and length of the chunks between the two places; lengths beyond the end are cut off there."""
    end = min(end, len(data))
    while at + 8 <= end:
        name, length = data[at : at + 4], struct.unpack_from("<I", data, at + 4)[0]
        yield name, at + 8, min(length, end - at - 8)
        at += 8 + length + length % 2
