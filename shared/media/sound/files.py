"""Writes a sound as a file: WAV by itself, FLAC, Ogg Vorbis and MP3 by libsndfile."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.errors import InvalidRequest, MissingDependency
from shared.media.sound import riff
from shared.outputs import AudioOutput

SOFTWARE = "Generative-AI playgrounds"


@dataclass(frozen=True)
class Kind:
    """A kind of file: what a person calls it, its media type, its ending, and libsndfile's words for it."""

    label: str
    media_type: str
    suffix: str
    format: str = ""
    subtype: str = ""


KINDS: Mapping[str, Kind] = {
    "wav": Kind("WAV", "audio/wav", ".wav"),
    "flac": Kind("FLAC, the same in less room", "audio/flac", ".flac", "FLAC", "PCM_16"),
    "mp3": Kind("MP3", "audio/mpeg", ".mp3", "MP3", "MPEG_LAYER_III"),
    "ogg": Kind("Ogg Vorbis", "audio/ogg", ".ogg", "OGG", "VORBIS"),
}
_BLOCK = 65536  # samples written at a time: libsndfile's Vorbis encoder keeps all of one block on its stack


def kind_of(name: str) -> Kind:
    """The kind by its short name. Raises `InvalidRequest`."""
    if name not in KINDS:
        raise InvalidRequest(f"A sound can be saved as {', '.join(KINDS)}; not as {name[:20]!r}.")
    return KINDS[name]


def encode(sound: AudioOutput, name: str, *, comment: str = "", title: str = "") -> bytes:
    """The sound as a file of that kind, with these texts in it. `comment` must be ASCII: MP3's tags know no more.

    Raises `InvalidRequest` for a kind that isn't there, `MissingDependency` where libsndfile is wanted and missing.
    """
    kind = kind_of(name)
    if not kind.format:
        texts = {riff.TITLE: title, riff.SOFTWARE: SOFTWARE, riff.COMMENT: comment}
        return riff.write(sound.pcm, sound.sample_rate, sound.channels, texts)
    try:
        import soundfile
    except (ImportError, OSError):
        raise MissingDependency("soundfile", "soundfile") from None
    out = io.BytesIO()
    options: dict[str, Any] = {"format": kind.format, "subtype": kind.subtype}
    with soundfile.SoundFile(out, "w", sound.sample_rate, sound.channels, **options) as file:
        file.software = SOFTWARE
        if comment:
            file.comment = comment
        if title and (name != "mp3" or title.isascii()):
            file.title = title
        step = 2 * sound.channels * _BLOCK
        for at in range(0, len(sound.pcm), step):
            file.buffer_write(sound.pcm[at : at + step], dtype="int16")
    return out.getvalue()
