"""Gives a clip a sound track, from a sound's file or another clip's."""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from shared.errors import InvalidRequest
from shared.video.reading import measure, opened, texts

_RATE = 48_000  # samples a second
_SOUNDS = (
    (b"RIFF", "wav"),
    (b"fLaC", "flac"),
    (b"ID3", "mp3"),
    (b"OggS", "ogg"),
    (b"\xff\xfb", "mp3"),
    (b"\xff\xf3", "mp3"),
)


def with_sound(video: bytes, sound: bytes, *, loop: bool = False) -> bytes:
    """The clip with the sound of a file, cut to its length; `loop` begins it anew where it is shorter.

    Pictures are copied as they are. Raises `InvalidRequest` for what holds no sound.
    """
    known = measure(video)
    wanted = round(known.seconds * _RATE)
    if not (samples := list(_samples(sound, wanted))):
        raise InvalidRequest("There is no sound in this file. Take a sound or a clip that has one.")
    import numpy

    whole = numpy.concatenate(samples, axis=1)
    if loop and whole.shape[1] < wanted:
        whole = numpy.tile(whole, -(-wanted // whole.shape[1]))
    return _remuxed(video, whole[:, :wanted])


def _samples(sound: bytes, most: int) -> Iterator[Any]:
    """Arrays (2, n) of float32 at 48 kHz, until there are that many."""
    import av

    kind = next((name for mark, name in _SOUNDS if sound.startswith(mark)), None)
    if kind is None and sound[4:8] == b"ftyp":
        kind = "mov"
    if kind is None:
        raise InvalidRequest("This is no WAV, FLAC, MP3, Ogg or MP4 file. Save the sound as one of these.")
    try:
        container: Any = av.open(io.BytesIO(sound), format=kind)
        with container as source:
            if not source.streams.audio:
                return
            even: Any = av.AudioResampler(format="fltp", layout="stereo", rate=_RATE)
            count = 0
            for frame in source.decode(audio=0):
                for each in even.resample(frame):
                    count += each.samples
                    yield each.to_ndarray()
                if count >= most:
                    return
    except av.error.FFmpegError:
        raise InvalidRequest("This sound can't be read: the file is damaged or cut short.") from None


def _remuxed(video: bytes, sound: Any) -> bytes:
    """The same pictures and texts with another sound (2, n)."""
    import av

    file = io.BytesIO()
    with opened(video) as source, av.open(file, "w", format="mp4") as target:
        target.metadata.update({name: value for name, value in texts(video).items() if name in ("comment", "title")})
        picture: Any = target.add_stream_from_template(source.streams.video[0])
        heard: Any = target.add_stream("aac", rate=_RATE)
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = picture
                target.mux(packet)
        _encode_sound(sound, heard, target)
    return file.getvalue()


def _encode_sound(sound: Any, stream: Any, target: Any) -> None:
    import av
    import numpy

    make: Any = av.AudioFrame.from_ndarray
    for at in range(0, sound.shape[1], 1024):
        piece = numpy.ascontiguousarray(sound[:, at : at + 1024], dtype=numpy.float32)
        frame = make(piece, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = _RATE, at, Fraction(1, _RATE)
        target.mux(stream.encode(frame))
    target.mux(stream.encode(None))
