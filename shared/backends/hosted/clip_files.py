"""Clips as providers send them: looked at, measured, and otherwise left as they are."""

from __future__ import annotations

import io
from dataclasses import dataclass

from shared.backends.hosted.limits import MIB
from shared.errors import ProviderError

MAX_CLIP = 256 * MIB  # bytes: a minute in 4K comes to half of it
_BEGINNINGS = ((4, b"ftyp", "mp4", "video/mp4"), (0, b"\x1a\x45\xdf\xa3", "matroska", "video/webm"))


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What the file itself says of the clip."""

    media_type: str
    width: int
    height: int
    frames: int
    fps: float


def measured(data: bytes, provider: str) -> Measured:
    """The clip's kind, size and length. Raises `ProviderError` for what is no whole MP4 or WebM file."""
    import av

    found = next((kind for at, mark, *kind in _BEGINNINGS if data[at : at + len(mark)] == mark), None)
    if found is None:
        raise no_clip(provider)
    try:
        with av.open(io.BytesIO(data), mode="r", format=found[0]) as file:
            stream = file.streams.video[0]
            fps = float(stream.average_rate or stream.base_rate or 0)
            frames = stream.frames or sum(bool(packet.size) for packet in file.demux(stream))
            size = stream.codec_context.width, stream.codec_context.height
    except Exception as error:  # FFmpeg's readers raise errors of many kinds on broken files
        raise no_clip(provider) from error
    if not frames or not all(size):
        raise no_clip(provider)
    return Measured(media_type=found[1], width=size[0], height=size[1], frames=frames, fps=round(fps, 3))


def no_clip(provider: str) -> ProviderError:
    """What came is no clip."""
    return ProviderError(
        provider, f"{provider} sent something that is no whole clip. Try again, or choose another engine."
    )
