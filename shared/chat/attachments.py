"""What a person attaches to a message: pictures are checked and shrunk, text files become part of the text."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from shared.errors import InvalidRequest

if TYPE_CHECKING:
    from PIL import Image

MAX_FILES = 8
MAX_TEXT_BYTES = 200_000
MAX_IMAGE_BYTES = 20_000_000
MAX_PIXELS = 50_000_000
SIDE = 1568  # pixels; vision models scale larger pictures down to about this
_PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".gif"}


@dataclass
class Attached:
    """Pictures as media type and base64 data; `text` is to be put before the message."""

    text: str = ""
    images: list[dict[str, str]] = field(default_factory=list)


def read(paths: Iterable[str]) -> Attached:
    """Read the files. Raises `InvalidRequest` naming the one that is too large or of no use here."""
    files = [Path(path) for path in paths]
    if len(files) > MAX_FILES:
        raise InvalidRequest(f"Attach {MAX_FILES} files at most; there are {len(files)}.")
    found = Attached()
    for file in files:
        if file.suffix.lower() in _PICTURES:
            found.images.append(_picture(file))
        else:
            found.text += _text(file)
    return found


def _text(file: Path) -> str:
    if file.stat().st_size > MAX_TEXT_BYTES:
        raise InvalidRequest(f"{file.name} is larger than {MAX_TEXT_BYTES // 1000} kB. Attach a part of it.")
    try:
        content = file.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidRequest(f"{file.name} is neither a picture nor a text file. Attach one of these.") from None
    fence = "`" * max(3, _longest_run(content, "`") + 1)
    return f"{file.name}:\n{fence}\n{content.rstrip()}\n{fence}\n\n"


def _longest_run(text: str, char: str) -> int:
    longest = run = 0
    for each in text:
        run = run + 1 if each == char else 0
        longest = max(longest, run)
    return longest


def _picture(file: Path) -> dict[str, str]:
    from PIL import Image, ImageOps, UnidentifiedImageError

    if file.stat().st_size > MAX_IMAGE_BYTES:
        raise InvalidRequest(f"{file.name} is larger than {MAX_IMAGE_BYTES // 1_000_000} MB. Attach a smaller picture.")
    try:
        with Image.open(file) as image:
            if image.width * image.height > MAX_PIXELS:
                raise InvalidRequest(f"{file.name} has more than {MAX_PIXELS // 1_000_000} million pixels. Shrink it.")
            seen = _on_white(ImageOps.exif_transpose(image))
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError, SyntaxError, ValueError):
        raise InvalidRequest(f"{file.name} can't be read as a picture. Save it again as PNG or JPEG.") from None
    buffer = io.BytesIO()
    seen.save(buffer, "JPEG", quality=90)
    return {"media_type": "image/jpeg", "data": base64.b64encode(buffer.getvalue()).decode()}


def _on_white(image: Image.Image) -> Image.Image:
    """The picture, shrunk, with white where it is transparent, and without what its file says beside it."""
    from PIL import Image

    drawn = image.convert("RGBA" if image.has_transparency_data else "RGB")
    drawn.thumbnail((SIDE, SIDE))
    flat = Image.new("RGB", drawn.size, "white")
    flat.paste(drawn, mask=drawn if drawn.mode == "RGBA" else None)
    return flat
