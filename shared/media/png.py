"""PNG's chunks: texts read and put in without touching a pixel. Layout: https://www.w3.org/TR/png-3/#5DataRep."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_TEXT = 1_000_000  # bytes of one text, unpacked; Pillow reads no longer ones either
XMP = "XML:com.adobe.xmp"
_MAX_CHUNKS = 50_000
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")


@dataclass(frozen=True)
class Chunk:
    """A chunk's kind, where it begins and ends in the file, and what it holds."""

    kind: bytes
    start: int
    end: int
    data: memoryview

    @property
    def keyword(self) -> str:
        """The name of the text in it, or ""."""
        return bytes(self.data[:80]).partition(b"\0")[0].decode("latin-1") if self.kind in _TEXTS else ""


def chunks(data: bytes) -> Iterator[Chunk]:
    """The chunks up to `IEND`. Raises `ValueError` for a file that is no PNG or is cut short."""
    if not data.startswith(SIGNATURE):
        raise ValueError("no PNG")
    view, start = memoryview(data), len(SIGNATURE)
    for _ in range(_MAX_CHUNKS):
        if start + 12 > len(data):
            raise ValueError("cut short")
        length, kind = struct.unpack_from(">I4s", data, start)
        end = start + 12 + length
        if end > len(data):
            raise ValueError("cut short")
        yield Chunk(kind, start, end, view[start + 8 : end - 4])
        if kind == b"IEND":
            return
        start = end
    raise ValueError("too many chunks")


def texts(data: bytes, wanted: frozenset[str]) -> dict[str, str]:
    """The wanted texts, by keyword. Raises `ValueError` for one that is broken or larger than `MAX_TEXT`."""
    found: dict[str, str] = {}
    for chunk in chunks(data):
        if chunk.keyword in wanted and chunk.keyword not in found:
            (crc,) = struct.unpack_from(">I", data, chunk.end - 4)
            if zlib.crc32(data[chunk.start + 4 : chunk.end - 4]) != crc:
                raise ValueError("a text's checksum is wrong")
            found[chunk.keyword] = _text(chunk)
    return found


def with_texts(data: bytes, new: Mapping[str, str]) -> bytes:
    """The same file with these texts before its first pixels, in place of any of the same names."""
    added = b"".join(_text_chunk(keyword, text) for keyword, text in new.items())
    pieces, placed = [data[: len(SIGNATURE)]], False
    end = len(SIGNATURE)
    for chunk in chunks(data):
        if chunk.kind in (b"IDAT", b"fcTL") and not placed:
            pieces.append(added)
            placed = True
        if chunk.keyword not in new:
            pieces.append(data[chunk.start : chunk.end])
        end = chunk.end
    if not placed:
        raise ValueError("no pixels")
    return b"".join([*pieces, data[end:]])


def _text_chunk(keyword: str, text: str) -> bytes:
    """As Pillow and the web UIs write it: `tEXt` where Latin-1 can say it, `iTXt` where it can't."""
    name = keyword.encode("latin-1")
    try:
        kind, body = b"tEXt", name + b"\0" + text.encode("latin-1")
    except UnicodeEncodeError:
        kind, body = b"iTXt", name + b"\0\0\0\0\0" + text.encode("utf-8")
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _text(chunk: Chunk) -> str:
    _, _, rest = bytes(chunk.data).partition(b"\0")
    if chunk.kind == b"tEXt":
        return _limited(rest).decode("latin-1")
    if chunk.kind == b"zTXt":
        return _unpacked(rest[1:]).decode("latin-1")
    packed, rest = rest[:1] == b"\1", rest[2:]
    _, _, rest = rest.partition(b"\0")  # the language
    _, _, rest = rest.partition(b"\0")  # the keyword in that language
    return (_unpacked(rest) if packed else _limited(rest)).decode("utf-8", "replace")


def _limited(text: bytes) -> bytes:
    if len(text) > MAX_TEXT:
        raise ValueError("a text is too large")
    return text


def _unpacked(packed: bytes) -> bytes:
    unpacking = zlib.decompressobj()
    try:
        text = unpacking.decompress(packed, MAX_TEXT)
    except zlib.error:
        raise ValueError("a text can't be unpacked") from None
    if unpacking.unconsumed_tail:
        raise ValueError("a text is too large")
    return text
