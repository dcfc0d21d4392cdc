"""Opens pictures that anybody may have sent: what they claim is checked before anything is decoded."""

from __future__ import annotations

import contextlib
import io
import struct
from pathlib import Path
from typing import TYPE_CHECKING

from shared.errors import InvalidRequest
from shared.media import exif, png
from shared.requests import ImagePart

if TYPE_CHECKING:
    from PIL import Image

MAX_BYTES = 20_000_000
MAX_PIXELS = 40_000_000
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
# JPEG's segments that tell the size, by kind of compression
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def open_picture(
    source: bytes | str | Path, *, max_bytes: int = MAX_BYTES, max_pixels: int = MAX_PIXELS
) -> Image.Image:
    """The picture (of a moving one, its first frame) upright, as RGB, or as RGBA where parts are transparent.

    Nothing but pixels is kept. Raises `InvalidRequest` for what is no PNG, JPEG, WebP or GIF, too large or broken.
    """
    name, data = _read(source, max_bytes)
    kind_and_size = _claimed(data)
    if kind_and_size is None:
        raise InvalidRequest(f"{name} is no PNG, JPEG, WebP or GIF picture. Save it as one of these and try again.")
    _check(name, kind_and_size, max_pixels)
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            _check(name, image.size, max_pixels)  # a GIF's first frame may be larger than its header says
            image.load()
            return _plain(image)
    except (*exif.UNREADABLE, Image.DecompressionBombError, EOFError):
        raise InvalidRequest(
            f"{name} can't be read as a picture: it is damaged, cut short, or holds far more than it shows. "
            "Save it again as PNG or JPEG and try again."
        ) from None


def to_part(image: Image.Image) -> ImagePart:
    """The picture as a PNG, for a request."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return ImagePart(buffer.getvalue(), "image/png")


def _read(source: bytes | str | Path, limit: int) -> tuple[str, bytes]:
    most = f"{limit / 1_000_000:g}"
    if isinstance(source, bytes):
        if len(source) > limit:
            raise InvalidRequest(f"The picture is larger than {most} MB. Shrink it, or save it as JPEG, and try again.")
        return "The picture", source
    path = Path(source)
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError:
        raise InvalidRequest(f"{path.name} can't be opened. Choose the picture again.") from None
    if len(data) > limit:
        raise InvalidRequest(f"{path.name} is larger than {most} MB. Shrink it, or save it as JPEG, and try again.")
    return path.name, data


def _check(name: str, size: tuple[int, int], max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise InvalidRequest(
            f"{name} has {width:,} x {height:,} pixels, which is more than {max_pixels / 1_000_000:g} million. "
            "Shrink it and try again."
        )


def _claimed(data: bytes) -> tuple[int, int] | None:
    """The size that the file's header claims; None for a file of no kind that is taken here."""
    try:
        if data.startswith(png.SIGNATURE):
            return struct.unpack_from(">II", data, 16)
        if data[:6] in (b"GIF87a", b"GIF89a"):
            return struct.unpack_from("<HH", data, 6)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _webp_size(data)
        frames = (body for marker, body, _ in exif.jpeg_segments(data) if marker in _FRAMES)
        height, width = struct.unpack_from(">HH", next(frames), 1)
        return width, height
    except (ValueError, struct.error, StopIteration):
        return None


def _webp_size(data: bytes) -> tuple[int, int]:
    kind, body = data[12:16], data[20:30]
    if kind == b"VP8X":
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack_from("<HH", body, 6)
    return width & 0x3FFF, height & 0x3FFF


def _plain(image: Image.Image) -> Image.Image:
    from PIL import ImageOps

    upright: Image.Image = image
    with contextlib.suppress(*exif.UNREADABLE):  # a broken EXIF only loses which way is up
        upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith(("I", "F")):  # 16 bits a pixel: Pillow would cut them off instead of scaling them
        upright = upright.convert("I").point([i // 256 for i in range(65536)], "L")
    plain = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    plain.info.clear()
    return plain
