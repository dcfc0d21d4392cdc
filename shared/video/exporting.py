"""A clip as another kind of file: WebM for pages, GIF for everywhere."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from shared.errors import InvalidRequest
from shared.video.encoding import QUALITY, SAME
from shared.video.labelling import COMMENT
from shared.video.reading import opened, texts

GIF_SIDE = 480  # pixels: a GIF of more is larger than anybody wants to send


@dataclass(frozen=True)
class Kind:
    """A kind of file: what a person calls it, its media type and its ending."""

    label: str
    media_type: str
    suffix: str


KINDS: Mapping[str, Kind] = {
    "mp4": Kind("MP4", "video/mp4", ".mp4"),
    "webm": Kind("WebM", "video/webm", ".webm"),
    "gif": Kind("GIF, without sound", "image/gif", ".gif"),
}


def export(data: bytes, name: str) -> bytes:
    """The clip as a file of that kind, with what is written in it. Raises `InvalidRequest`."""
    if name not in KINDS:
        raise InvalidRequest(f"A clip can be saved as {', '.join(KINDS)}; not as {name[:20]!r}.")
    return {"mp4": _mp4, "webm": _webm, "gif": _gif}[name](data)


def _mp4(data: bytes) -> bytes:
    return data if data[4:8] == b"ftyp" else recoded(data, "mp4", "libx264", {"crf": QUALITY} | SAME, "aac")


def _webm(data: bytes) -> bytes:
    return recoded(data, "webm", "libvpx-vp9", {"crf": "24", "b": "0", "cpu-used": "5", "row-mt": "1"}, "libopus")


def recoded(data: bytes, kind: str, codec: str, options: Mapping[str, str], audio: str) -> bytes:
    """The clip encoded anew, sound included, with its texts."""
    import av

    file = io.BytesIO()
    with opened(data) as source, av.open(file, "w", format=kind) as target:
        target.metadata.update(_kept(texts(data)))
        picture = source.streams.video[0]
        video: Any = target.add_stream(codec, rate=picture.average_rate or Fraction(8))
        video.width, video.height = (side + side % 2 for side in (picture.width, picture.height))
        video.pix_fmt, video.options = "yuv420p", dict(options)
        sound = next(iter(source.streams.audio), None)
        heard: Any = target.add_stream(audio, rate=48000) if sound else None
        for frame in source.decode(*([picture, sound] if sound else [picture])):
            if isinstance(frame, av.VideoFrame):
                target.mux(video.encode(frame.reformat(video.width, video.height, "yuv420p")))
            elif heard is not None:
                target.mux(heard.encode(frame))
        for stream in (video, heard):
            if stream is not None:
                target.mux(stream.encode(None))
    return file.getvalue()


def _gif(data: bytes) -> bytes:
    """With a palette of the clip's own colours."""
    from PIL import Image

    from shared.video.reading import frames, measure

    known = measure(data)
    pictures = []
    for frame in frames(data):
        frame.thumbnail((GIF_SIDE, GIF_SIDE))
        pictures.append(frame.quantize(256, dither=Image.Dither.NONE))
    file = io.BytesIO()
    comment = texts(data).get(COMMENT, "").encode("ascii", "replace")
    pictures[0].save(
        file,
        "GIF",
        save_all=True,
        append_images=pictures[1:],
        duration=round(1000 / (known.fps or 8)),
        loop=0,
        comment=comment,
    )
    return file.getvalue()


def _kept(found: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in found.items() if name in (COMMENT, "title")}
