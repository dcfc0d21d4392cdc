"""Pictures as providers send them: checked, and otherwise left as they are, byte by byte."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from shared.data_urls import file_in
from shared.errors import InvalidRequest, ProviderError
from shared.requests import ImagePart

if TYPE_CHECKING:
    from PIL import Image

MAX_PIXELS = 40_000_000  # of one picture: 160 MB once unpacked
PREVIEW_SIDE = 768  # pixels of a preview's longer side
_TYPES = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "AVIF": "image/avif",
}


def from_bytes(data: bytes, provider: str) -> ImagePart:
    """The file as it is, with its true media type. Raises `ProviderError` for what is no whole picture."""
    try:
        image = _read(data)
    except Exception as error:  # Pillow's readers raise errors of many kinds on broken files
        raise no_picture(provider) from error
    return ImagePart(data, _TYPES[str(image.format)])


def from_base64(text: str, provider: str) -> ImagePart:
    """The same from base64, with or without `data:image/png;base64,` before it."""
    return from_bytes(decoded(text, provider), provider)


def decoded(text: str, provider: str) -> bytes:
    """The bytes of a base64 text or data URL. Raises `ProviderError`."""
    try:
        return file_in(text)
    except ValueError as error:
        raise no_picture(provider) from error


def shown(data: bytes) -> Image.Image | None:
    """A small copy to show, or None for what can't be read: a preview is no reason to stop."""
    try:
        image = _read(data)
    except Exception:
        return None
    image.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def size_of(part: ImagePart) -> tuple[int, int]:
    """Width and height in pixels of a picture that was checked."""
    from PIL import Image

    with Image.open(io.BytesIO(part.data), formats=tuple(_TYPES)) as image:
        return image.size


def transparent_mask(image: ImagePart, mask: ImagePart) -> ImagePart:
    """Our mask (white is to be drawn anew) as OpenAI has it: a PNG of the picture's size, transparent there.

    Raises `InvalidRequest` for a picture or mask that can't be read.
    """
    from PIL import Image, ImageOps

    try:
        size = ImageOps.exif_transpose(_read(image.data)).size
        white = _read(mask.data).convert("L").resize(size)
    except Exception as error:
        raise InvalidRequest("The picture or its mask can't be read. Choose a PNG, JPEG or WebP file.") from error
    kept = Image.new("RGBA", size, (0, 0, 0, 255))
    kept.putalpha(ImageOps.invert(white))
    file = io.BytesIO()
    kept.save(file, "PNG")
    return ImagePart(file.getvalue(), "image/png")


def no_picture(provider: str) -> ProviderError:
    """What came is no picture."""
    return ProviderError(
        provider, f"{provider} sent something that is no whole picture. Try again, or choose another engine."
    )


def _read(data: bytes) -> Image.Image:
    """The picture unpacked, its size looked at first. Raises errors of many kinds."""
    from PIL import Image

    image = Image.open(io.BytesIO(data), formats=tuple(name for name in _TYPES if name != "MPO"))
    if image.width * image.height > MAX_PIXELS:
        raise ValueError("too many pixels")
    image.load()
    return image
