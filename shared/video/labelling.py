"""Writes into a clip's file what made it, so that it can be made again: one JSON text, its comment.

Pictures and sound are copied as they are. A file that its maker signed isn't touched: its JSON is given beside it.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from shared.media.sound.labelling import document, title
from shared.receipts import Receipt
from shared.requests import VideoRequest
from shared.video.reading import opened

KEYWORD = "genai_playground"
COMMENT = "comment"
_PICTURES = ("image", "last_image", "video")
_FORMATS = {"video/mp4": "mp4", "video/webm": "webm"}
_SIGNED = (b"c2pa", b"urn:c2pa:", b"jumbc2pa")  # of the boxes that hold Content Credentials


@dataclass(frozen=True)
class Labelled:
    """The clip's file, and the JSON to keep beside it where the file can't hold what made it."""

    data: bytes
    sidecar: bytes | None = None


def label(data: bytes, media_type: str, receipt: Receipt, request: VideoRequest) -> Labelled:
    """The clip with its receipt and request in it."""
    whole = document_of(receipt, request)
    if media_type in _FORMATS and not has_credentials(data):
        text = json.dumps({KEYWORD: whole}, ensure_ascii=True, default=str)
        return Labelled(rewritten(data, media_type, {COMMENT: text, "title": title(request)}))
    beside = whole | {"video_sha256": hashlib.sha256(data).hexdigest()}
    return Labelled(data, json.dumps(beside, indent=2, ensure_ascii=False, default=str).encode("utf-8", "replace"))


def document_of(receipt: Receipt, request: VideoRequest) -> dict[str, Any]:
    """What made the clip, without the pictures that it was made from."""
    found = document(receipt, replace(request, image=None, last_image=None, video=None))
    found["request"]["from"] = [name for name in _PICTURES if getattr(request, name) is not None]
    return found


def rewritten(data: bytes, media_type: str, texts: Mapping[str, str]) -> bytes:
    """The same pictures and sound with these texts. Raises `InvalidRequest` for what is no clip."""
    import av

    file = io.BytesIO()
    with opened(data) as source, av.open(file, "w", format=_FORMATS[media_type]) as target:
        target.metadata.update(texts)
        kept = [stream for stream in source.streams if stream.type in ("video", "audio", "subtitle")]
        copies: dict[int, Any] = {stream.index: target.add_stream_from_template(stream) for stream in kept}
        for packet in source.demux(kept):
            if packet.dts is not None:
                packet.stream = copies[packet.stream.index]
                target.mux(packet)
    return file.getvalue()


def has_credentials(data: bytes) -> bool:
    """Whether the file carries Content Credentials: any change to it would make them read as tampered with."""
    return any(mark in data for mark in _SIGNED)
