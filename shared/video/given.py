"""A clip of somebody's own, as a part of a request."""

from __future__ import annotations

from shared.data_urls import file_in
from shared.errors import InvalidRequest
from shared.requests import ClipPart
from shared.video.reading import measure


def clip_part(data: bytes) -> ClipPart:
    """The clip, looked at before it is taken. Raises `InvalidRequest` for what is none."""
    measure(data)
    return ClipPart(data, "video/webm" if data.startswith(b"\x1a\x45\xdf\xa3") else "video/mp4")


def clip_of(url: str) -> ClipPart | None:
    """The clip in a data URL. Raises `InvalidRequest` where it is none."""
    if not url:
        return None
    if not url.startswith("data:video/"):
        raise InvalidRequest("A clip must be a data URL that begins with data:video/mp4;base64, for example.")
    try:
        return clip_part(file_in(url))
    except ValueError:
        raise InvalidRequest("The clip's base64 can't be read. Encode the file's bytes again.") from None
