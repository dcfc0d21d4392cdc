"""Attached files reach the model as it can read them, and what can't be read is told by name."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from shared.chat import attachments
from shared.errors import InvalidRequest


def picture(found: dict[str, str]) -> Image.Image:
    """The picture as the model gets it."""
    assert found["media_type"] == "image/jpeg"
    return Image.open(io.BytesIO(base64.b64decode(found["data"])))


def read_one(file: Path) -> Image.Image:
    return picture(attachments.read([str(file)]).images[0])


def png_header(width: int, height: int) -> bytes:
    """The beginning of a PNG that claims to be so large."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = b"IDAT" + zlib.compress(b"")
    chunks = [struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in (body, pixels)]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def test_text_files_stand_fenced_under_their_names(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("print('ä')\n", encoding="utf-8")
    (tmp_path / "b.md").write_text("Code:\n````\nx\n````", encoding="utf-8")
    found = attachments.read([str(tmp_path / "a.py"), str(tmp_path / "b.md")])
    assert found.text.startswith("a.py:\n```\nprint('ä')\n```\n\nb.md:\n`````\nCode:")
    assert found.text.endswith("````\n`````\n\n"), "the fence is longer than any inside"
    assert found.images == []


@pytest.mark.parametrize("name", ["p.png", "P.PNG", "p.jpg", "p.webp", "p.gif"])
def test_a_picture_of_any_usual_kind_becomes_a_jpeg(tmp_path: Path, name: str) -> None:
    Image.new("RGB", (40, 20), "red").save(tmp_path / name)
    assert read_one(tmp_path / name).size == (40, 20)


def test_a_large_picture_is_shrunk_and_keeps_its_shape(tmp_path: Path) -> None:
    Image.new("L", (4000, 1000)).save(tmp_path / "p.png")
    assert read_one(tmp_path / "p.png").size == (attachments.SIDE, attachments.SIDE // 4)


def test_a_photo_stands_upright_and_does_not_tell_where_it_was_taken(tmp_path: Path) -> None:
    about = Image.Exif()
    about[0x0112] = 6  # turned by a quarter
    about[0x010E] = "my home"
    Image.new("RGB", (40, 20)).save(tmp_path / "p.jpg", exif=about, comment=b"my home")
    seen = attachments.read([str(tmp_path / "p.jpg")]).images[0]
    assert picture(seen).size == (20, 40)
    assert b"my home" not in base64.b64decode(seen["data"])


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_is_seen_on_white(tmp_path: Path, mode: str) -> None:
    drawing = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    drawing.paste((0, 0, 0, 255), (0, 0, 20, 40))
    drawing.convert(mode).save(tmp_path / "p.png")
    seen = read_one(tmp_path / "p.png").convert("L")
    assert seen.getpixel((8, 20)) < 30 and seen.getpixel((32, 20)) > 225  # type: ignore[operator]


def of_bytes(name: str, content: Callable[[], bytes]) -> pytest.param:  # type: ignore[valid-type]
    return pytest.param(name, content, id=name)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        of_bytes("no-picture.png", lambda: b"hello"),
        of_bytes("empty.jpg", lambda: b""),
        of_bytes("cut.png", lambda: png_header(40, 40)),
        of_bytes("wide.png", lambda: png_header(8000, 8000)),
        of_bytes("bomb.png", lambda: png_header(60_000, 60_000)),
        of_bytes("heavy.webp", lambda: bytes(attachments.MAX_IMAGE_BYTES + 1)),
        of_bytes("long.txt", lambda: b"x" * (attachments.MAX_TEXT_BYTES + 1)),
        of_bytes("program.exe", lambda: b"MZ\x90\x00\xff\xfe"),
    ],
)
def test_what_cannot_be_read_is_told_by_name(tmp_path: Path, name: str, content: Callable[[], bytes]) -> None:
    (tmp_path / name).write_bytes(content())
    with pytest.raises(InvalidRequest, match=name):
        attachments.read([str(tmp_path / name)])


def test_too_many_files_are_told_before_any_is_read(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="8 files at most; there are 9"):
        attachments.read([str(tmp_path / "missing.txt")] * 9)
