"""A sound file in, a placed sound file out: with what made the sound still in it, and where it was put."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from shared.audio.pcm import to_pcm
from shared.audio.space.paths import Course, Place, along, moves, still
from shared.audio.space.ways import WAYS, place
from shared.errors import InvalidRequest
from shared.media.sound.files import Kind, encode, kind_of
from shared.media.sound.labelling import KEYWORD
from shared.media.sound.opening import open_sound
from shared.media.sound.restoring import made_here
from shared.outputs import AudioOutput

LONGEST = 180.0  # seconds: half a GiB while it is made
FILES = "wav", "flac"  # the others know no four channels, or lose what the ears tell apart


@dataclass(frozen=True)
class PlacedFile:
    """The file, its kind, and what a person should know of it."""

    data: bytes
    kind: Kind
    channels: tuple[str, ...]
    seconds: float
    words: str


def place_file(data: bytes, course: Course, way: str, kind: str = "wav") -> PlacedFile:
    """The sound moved along the course. Raises `InvalidRequest` for what can't be read, is too long or unknown."""
    if way not in WAYS:
        raise InvalidRequest(f"A sound can be placed for {', '.join(WAYS)}; not for {way[:20]!r}.")
    if kind not in FILES:
        raise InvalidRequest(f"A placed sound can be saved as {', '.join(FILES)}; not as {kind[:20]!r}.")
    samples, rate = open_sound(data, max_seconds=LONGEST)
    made = place(samples, rate, course, way)
    channels = WAYS[way].channels
    sound = AudioOutput(pcm=to_pcm(made.samples.reshape(-1)), sample_rate=made.rate, channels=len(channels))
    space = {"way": way, "channels": channels, "lowered_db": made.lowered_db, "course": _told(course)}
    comment = json.dumps({KEYWORD: {**made_here(data), "space": space}}, ensure_ascii=True)
    file = encode(sound, kind, comment=comment, title="Placed sound")
    return PlacedFile(file, kind_of(kind), channels, sound.seconds, _words(way, made.lowered_db))


def course_of(move: str, places: Sequence[Sequence[float]]) -> Course:
    """The course by a move's name, or else by places (azimuth, elevation, distance). Raises `InvalidRequest`."""
    if move:
        if move not in moves():
            raise InvalidRequest(f"The moves are {', '.join(moves())}; there is none called {move[:30]!r}.")
        return moves()[move][1]
    try:
        found = [Place(*map(float, each)) for each in places]
    except (TypeError, ValueError):
        raise InvalidRequest("A place is three numbers: azimuth, elevation and distance.") from None
    return still(found[0]) if len(found) == 1 else along(found)


def _told(course: Course) -> list[list[float]]:
    """The course for a receipt: share of the time, azimuth, elevation, distance; a long one by some of its knots."""
    step = max(1, len(course.knots) // 100)
    return [
        [round(moment, 4), round(p.azimuth, 1), round(p.elevation, 1), round(p.distance, 2)]
        for moment, p in (*course.knots[:-1:step], course.knots[-1])
    ]


def _words(way: str, lowered: float) -> str:
    notes = {
        "binaural": "Listen with headphones. The ears are a dummy head's (KEMAR): yours may place it elsewhere.",
        "ambisonics": "Four channels, W Y Z X: open the file in a program that decodes AmbiX.",
    }
    quieter = f"It was made {lowered:.1f} dB softer, so as not to clip." if lowered else ""
    return " ".join(filter(None, (notes.get(way, ""), quieter)))
