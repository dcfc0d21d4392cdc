"""Files within a text: data URLs (RFC 2397), as pages, programs and providers send pictures and sounds."""

from __future__ import annotations

import base64


def data_url(data: bytes, media_type: str) -> str:
    """The file as a data URL."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def file_in(text: str) -> bytes:
    """The bytes of a base64 text, with or without `data:image/png;base64,` before it. Raises `ValueError`."""
    return base64.b64decode(text.rpartition("base64,")[2], validate=True)
