"""Makes another kind of file of a WAV that was written here, with what it holds of how it was made."""

from __future__ import annotations

import io
import wave

from shared.media.sound.files import encode, kind_of
from shared.media.sound.tags import comments
from shared.outputs import AudioOutput


def recode(data: bytes, kind: str) -> bytes:
    """The same sound and comment. Raises `InvalidRequest` for no such kind, `MissingDependency`."""
    kind_of(kind)
    with wave.open(io.BytesIO(data)) as file:
        pcm = file.readframes(file.getnframes())
        sound = AudioOutput(pcm=pcm, sample_rate=file.getframerate(), channels=file.getnchannels())
    return encode(sound, kind, comment=next(comments(data), ""))
