"""Reads a clip's file: its frames, its measures, what is written in it. The file may be anybody's."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.errors import InvalidRequest

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_BYTES = 200_000_000
MAX_SIDE = 4096
MAX_SECONDS = 600.0
FORMATS = frozenset({"mp4", "mov", "webm", "matroska", "gif"})
_UNREADABLE = "This can't be read as a clip: it is no MP4, MOV, WebM or GIF, or it is damaged or cut short."


@dataclass(frozen=True, kw_only=True)
class Measures:
    """Of a clip: pixels, frames a second, how many frames (0: not told), seconds, whether it has sound."""

    width: int
    height: int
    fps: float
    num_frames: int
    seconds: float
    sound: bool
    codec: str


def measure(data: bytes) -> Measures:
    """What the file says of itself. Raises `InvalidRequest`."""
    with opened(data) as container:
        stream = container.streams.video[0]
        seconds = _seconds(container, stream)
        return Measures(
            width=stream.width,
            height=stream.height,
            fps=float(stream.average_rate or 0),
            num_frames=stream.frames,
            seconds=seconds,
            sound=bool(container.streams.audio),
            codec=str(stream.codec_context.name),
        )


def frames(data: bytes, most: int | None = None, every: int = 1) -> Iterator[Image]:
    """The frames as RGB pictures, one of `every`, at most `most`. Raises `InvalidRequest`, perhaps on the way."""
    import av

    with opened(data) as container:
        given = 0
        try:
            for number, frame in enumerate(container.decode(video=0)):
                if most is not None and given >= most:
                    return
                if number % every == 0:
                    given += 1
                    yield frame.to_image()
        except av.error.FFmpegError:
            raise InvalidRequest(_UNREADABLE) from None


def sampled(data: bytes, count: int) -> list[Image]:
    """About that many frames from all over the clip, the first always among them. Raises `InvalidRequest`."""
    known = measure(data)
    total = known.num_frames or round(known.seconds * known.fps)
    return list(frames(data, most=2 * count, every=max(1, total // count)))


def texts(data: bytes) -> Mapping[str, str]:
    """What is written in the file, by the names that its kind has for these. Raises `InvalidRequest`."""
    with opened(data) as container:
        return {str(name).lower(): str(value) for name, value in container.metadata.items()}


@contextmanager
def opened(data: bytes) -> Iterator[Any]:
    """The file as PyAV opens it: of the kinds that clips have, within the limits. Raises `InvalidRequest`."""
    import av

    if len(data) > MAX_BYTES:
        raise InvalidRequest(f"The clip is larger than {MAX_BYTES // 1_000_000} MB. Cut it, or make it smaller.")
    try:
        container = av.open(io.BytesIO(data), format=_format(data))
    except (av.error.FFmpegError, ValueError):
        raise InvalidRequest(_UNREADABLE) from None
    with container:
        _check(container)
        yield container


def _format(data: bytes) -> str:
    """ffmpeg's name of the kind, by the file's first bytes: ffmpeg itself would try many more, playlists among them."""
    if data[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free"):
        return "mov"
    if data.startswith(b"\x1aE\xdf\xa3"):
        return "matroska"
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return "gif"
    raise InvalidRequest(_UNREADABLE)


def _check(container: Any) -> None:
    if not container.streams.video:
        raise InvalidRequest("There is no picture in this file. Take a clip, not a sound.")
    stream = container.streams.video[0]
    if not 0 < max(stream.width, stream.height) <= MAX_SIDE:
        raise InvalidRequest(f"This clip is {stream.width} x {stream.height}; up to {MAX_SIDE} pixels a side go.")
    if _seconds(container, stream) > MAX_SECONDS:
        raise InvalidRequest(f"This clip is longer than {MAX_SECONDS / 60:g} minutes. Cut it first.")


def _seconds(container: Any, stream: Any) -> float:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return float(container.duration or 0) / 1_000_000
