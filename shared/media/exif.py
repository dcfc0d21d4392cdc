"""What JPEG and WebP files say in EXIF: read, and put in without touching a pixel.

Layouts: https://www.w3.org/Graphics/JPEG/itu-t81.pdf (B.1) and
https://developers.google.com/speed/webp/docs/riff_container.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

_HEADER = b"Exif\0\0"
_EXIF_IFD, _USER_COMMENT, _MAKER_NOTE = 0x8769, 0x9286, 0x927C
_MAKE, _MODEL = 0x010F, 0x0110
_MARK = b"genai_playground\0"  # before the JSON in the maker's note
_UNICODE = b"UNICODE\0"
_MAX_SEGMENTS = 10_000
# What Pillow raises for a file that is broken or made to do harm.
UNREADABLE = (OSError, SyntaxError, ValueError, TypeError, LookupError, AttributeError, struct.error, ArithmeticError)


def read(data: bytes) -> dict[str, str]:
    """`genai_playground`, `parameters` and `prompt`, as a PNG would name them, where the file has them.

    Raises one of `UNREADABLE` for a file that is broken.
    """
    from PIL import Image

    if data.startswith(b"RIFF"):
        blocks = (body for kind, body in webp_chunks(data) if kind == b"EXIF")
    else:
        blocks = (body for marker, body, _ in jpeg_segments(data) if marker == 0xE1 and body.startswith(_HEADER))
    exif = Image.Exif()
    exif.load(next(blocks, b""))
    inner = exif.get_ifd(_EXIF_IFD)
    found: dict[str, str] = {}
    note, comment = inner.get(_MAKER_NOTE), inner.get(_USER_COMMENT)
    if isinstance(note, bytes) and note.startswith(_MARK):
        found["genai_playground"] = note.removeprefix(_MARK).decode("utf-8", "replace")
    if comment:
        found["parameters"] = _comment(comment)
    for value in (exif.get(_MODEL), exif.get(_MAKE)):  # where ComfyUI's nodes put them
        if isinstance(value, str) and value.startswith("prompt:"):
            found["prompt"] = value.removeprefix("prompt:")
    return found


def block(json_text: str, parameters: str) -> bytes:
    """An EXIF block that holds both texts."""
    from PIL import Image

    exif = Image.Exif()
    exif[_EXIF_IFD] = {
        _USER_COMMENT: _UNICODE + parameters.encode("utf-16-be", "replace"),
        _MAKER_NOTE: _MARK + json_text.encode("utf-8", "replace"),
    }
    return exif.tobytes()


def into_jpeg(data: bytes, exif: bytes) -> bytes:
    """The JPEG with this EXIF. Raises `ValueError` where it has one already, or where it doesn't fit."""
    segments = list(jpeg_segments(data))
    if len(exif) > 65_533:
        raise ValueError("too long for a JPEG")
    if any(marker == 0xE1 and body.startswith(_HEADER) for marker, body, _ in segments):
        raise ValueError("it has EXIF already")
    # JFIF's own segment has to stay first
    at = segments[0][2] if segments and segments[0][0] == 0xE0 else 2
    return data[:at] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[at:]


def into_webp(data: bytes, exif: bytes) -> bytes:
    """The WebP with this EXIF. Raises `ValueError` where it has one already."""
    found = list(webp_chunks(data))
    if not found or any(kind == b"EXIF" for kind, _ in found):
        raise ValueError("it has EXIF already")
    if found[0][0] == b"VP8X":
        first = bytearray(found[0][1])
        first[0] |= 0x08
        found[0] = (b"VP8X", bytes(first))
    else:
        found.insert(0, (b"VP8X", _extended(data)))
    after = next((i for i, (kind, _) in enumerate(found) if kind == b"XMP "), len(found))
    found.insert(after, (b"EXIF", exif.removeprefix(_HEADER)))
    body = b"".join(k + struct.pack("<I", len(b)) + b + b"\0" * (len(b) % 2) for k, b in found)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Marker, content and end of each segment before the pixels. Raises `ValueError` for what is no JPEG."""
    if not data.startswith(b"\xff\xd8\xff"):
        raise ValueError("no JPEG")
    at = 2
    for _ in range(_MAX_SEGMENTS):
        if at + 4 > len(data) or data[at] != 0xFF:
            raise ValueError("cut short")
        marker, length = struct.unpack_from(">xBH", data, at)
        if marker == 0xDA:
            return
        at += 2 + length
        if length < 2 or at > len(data):
            raise ValueError("cut short")
        yield marker, data[at - length + 2 : at], at
    raise ValueError("too many segments")


def webp_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of each chunk. Raises `ValueError` for what is no whole WebP."""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        raise ValueError("no WebP")
    end = 8 + struct.unpack_from("<I", data, 4)[0]
    if end > len(data):
        raise ValueError("cut short")
    at, count = 12, 0
    while at + 8 <= end:
        kind, length = struct.unpack_from("<4sI", data, at)
        count += 1
        if at + 8 + length > end or count > _MAX_SEGMENTS:
            raise ValueError("cut short")
        yield kind, data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2


def _extended(data: bytes) -> bytes:
    """The header that a simple WebP lacks: which parts it has, and its size."""
    from PIL import Image

    with Image.open(io.BytesIO(data), formats=("WEBP",)) as image:
        flags = 0x08 | (0x10 if image.mode == "RGBA" else 0)
        width, height = image.size
    return bytes([flags, 0, 0, 0]) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")


def _comment(value: object) -> str:
    """A user comment: eight bytes name the writing; `UNICODE` is UTF-16 of whichever byte order the writer took."""
    if isinstance(value, str):
        return value
    if not isinstance(value, bytes):
        raise ValueError("no text")
    writing, text = value[:8], value[8:]
    if writing != _UNICODE:
        return (text if writing in (b"ASCII\0\0\0", b"\0" * 8) else value).decode("utf-8", "replace")
    if text[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return text.decode("utf-16", "replace")
    # Most texts are full of Latin letters, whose upper byte is zero.
    upper_last = text[1::2].count(0) > text[::2].count(0)
    return text.decode("utf-16-le" if upper_last else "utf-16-be", "replace")
