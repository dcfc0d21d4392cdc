"""What a job holds of a request and an output, and both put together again. One row a kind of work."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.outputs import AudioOutput, SolidOutput, VideoOutput
from shared.requests import MusicRequest, Request, Shot, SolidRequest, SoundRequest, VideoRequest
from shared.tasks import Task

_SUFFIXES = {"video/mp4": ".mp4", "video/webm": ".webm"}


def _packed_solid(output: SolidOutput) -> bytes:
    from shared.solid.files import encode

    assert output.solid is not None
    return encode(output.solid, "glb")


def _unpacked_solid(data: bytes) -> Any:
    from shared.solid.opening import read_solid

    return read_solid(data, ".glb", "The solid")


def _packed_sound(output: AudioOutput) -> bytes:
    from shared.media.sound.files import encode

    return encode(output, "flac")  # every sample, in half the room


def _unpacked_sound(data: bytes) -> bytes:
    import io

    import soundfile

    samples, _ = soundfile.read(io.BytesIO(data), dtype="int16", always_2d=True)
    return bytes(samples.astype("<i2").tobytes())


@dataclass(frozen=True)
class _Kind:
    """`bytes_in`: the output's field that goes into a file, as `pack` writes it (it gets the whole output) and `unpack`
    reads it. `mended`: fields that JSON has otherwise. `suffix`: what the file's name ends in, where the output has no
    media type."""

    request: type[Request]
    output: type[Any]
    bytes_in: str
    pack: Callable[[Any], bytes]
    unpack: Callable[[bytes], Any] = bytes
    mended: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    suffix: str = ".bin"


_KINDS: Mapping[str, _Kind] = {
    Task.TEXT_TO_VIDEO: _Kind(
        VideoRequest,
        VideoOutput,
        "video",
        lambda output: bytes(output.video),
        mended={"shots": lambda shots: tuple(Shot(**each) for each in shots)},
    ),
    Task.TEXT_TO_3D: _Kind(SolidRequest, SolidOutput, "solid", _packed_solid, _unpacked_solid, suffix=".glb"),
    Task.TEXT_TO_AUDIO: _Kind(MusicRequest, AudioOutput, "pcm", _packed_sound, _unpacked_sound, suffix=".flac"),
    Task.TEXT_TO_SOUND: _Kind(SoundRequest, AudioOutput, "pcm", _packed_sound, _unpacked_sound, suffix=".flac"),
}


def written_request(request: Request) -> dict[str, Any]:
    """The request's fields in JSON's types, but for pictures: they were sent, and are large."""
    values = {f.name: getattr(request, f.name) for f in dataclasses.fields(request)}
    plain = {name: _plain(value) for name, value in values.items() if not hasattr(value, "media_type")}
    return {name: value for name, value in plain.items() if value not in (None, [], ())}


def read_request(task: str, fields: Mapping[str, Any]) -> Request:
    """The request again. Raises `KeyError` for a kind of work that isn't known."""
    kind = _KINDS[task]
    known = {f.name for f in dataclasses.fields(kind.request)}
    return kind.request(
        **{name: kind.mended.get(name, _same)(value) for name, value in fields.items() if name in known}
    )


def written_output(task: str, output: Any) -> tuple[dict[str, Any], bytes, str]:
    """The output's plain fields, the bytes of its file, and what the file's name ends in."""
    kind = _KINDS[task]
    values = {f.name: getattr(output, f.name) for f in dataclasses.fields(output)}
    data = kind.pack(output)
    del values[kind.bytes_in]
    facts = {name: value for name, value in values.items() if isinstance(value, str | int | float)}
    return facts, data, _SUFFIXES.get(str(values.get("media_type")), kind.suffix)


def read_output(task: str, facts: Mapping[str, Any], data: bytes) -> Any:
    """The output again."""
    kind = _KINDS[task]
    return kind.output(**{kind.bytes_in: kind.unpack(data)}, **facts)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) and not isinstance(value, type) else value


def _same(value: Any) -> Any:
    return value
