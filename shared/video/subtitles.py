"""Subtitles on a clip: read from SubRip or WebVTT, and drawn into the pictures, where every player shows them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.errors import InvalidRequest
from shared.video.encoding import encode
from shared.video.reading import frames, measure

if TYPE_CHECKING:
    from PIL.Image import Image

MOST = 500  # cues
_TIME = r"(?:(\d{1,2}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
_SPAN = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}")
_MARKS = re.compile(r"<[^<>]{0,80}>")


@dataclass(frozen=True)
class Cue:
    """A text from `start` to `end`, in seconds."""

    start: float
    end: float
    text: str


def read(text: str) -> list[Cue]:
    """The cues of a SubRip or WebVTT text, in order. Raises `InvalidRequest` where there are none."""
    cues: list[Cue] = []
    for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n").strip("\ufeff \n")):
        lines = block.split("\n")
        at = next((i for i, line in enumerate(lines) if _SPAN.match(line)), None)
        if at is None or not (match := _SPAN.match(lines[at])):
            continue
        words = _MARKS.sub("", "\n".join(lines[at + 1 :])).strip()
        start, end = _seconds(match.groups()[:4]), _seconds(match.groups()[4:])
        if words and end > start:
            cues.append(Cue(start, end, words))
    if not cues or len(cues) > MOST:
        raise InvalidRequest(
            f"These are no subtitles, or more than {MOST}. Each needs times, as in “00:00:01,000 --> 00:00:02,500”, "
            "and its words on the lines below."
        )
    return cues


def drawn(video: bytes, cues: list[Cue]) -> bytes:
    """The clip with the cues drawn at its foot. Sound is left out. Raises `InvalidRequest`."""
    known = measure(video)
    return encode(_drawn(video, cues, known.fps or 8.0), known.fps or 8.0)


def _drawn(video: bytes, cues: list[Cue], fps: float) -> Iterator[Image]:
    for number, frame in enumerate(frames(video)):
        text = "\n".join(cue.text for cue in cues if cue.start <= number / fps < cue.end)
        yield _written(frame, text) if text else frame


def _written(frame: Image, text: str) -> Image:
    from PIL import ImageDraw, ImageFont

    size = max(9, frame.height // 14)
    font = ImageFont.load_default(size)
    draw = ImageDraw.Draw(frame)
    wrapped = "\n".join(line for given in text.split("\n") for line in _lines(given, frame.width * 0.92, draw, font))
    draw.multiline_text(
        (frame.width / 2, frame.height - size * 0.6),
        wrapped,
        fill="white",
        font=font,
        anchor="md",
        align="center",
        stroke_width=max(1, size // 9),
        stroke_fill="black",
    )
    return frame


def _lines(text: str, width: float, draw: object, font: object) -> Iterator[str]:
    """The text in lines that fit."""
    line = ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if line and draw.textlength(longer, font=font) > width:  # type: ignore[attr-defined]
            yield line
            line = word
        else:
            line = longer
    yield line


def _seconds(parts: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, thousandths = (int(part or 0) for part in (*parts[:3], (parts[3] or "0").ljust(3, "0")))
    return 3600 * hours + 60 * minutes + seconds + thousandths / 1000
