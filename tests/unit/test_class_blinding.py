"""A work of a blind vote: the same to look at or to hear, and its receipt is not in it."""

from __future__ import annotations

import io

import numpy
import pytest
import soundfile
from PIL import Image

from shared.classroom.blinding import unlabelled
from shared.solid import glb
from shared.video.encoding import encode
from shared.video.labelling import rewritten

SECRET = b"Model M"


def a_sound() -> bytes:
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", 8000, 1, "PCM_16", format="FLAC") as sound:
        sound.comment = SECRET.decode()
        sound.write(numpy.zeros(800, numpy.int16))
    return file.getvalue()


def a_solid() -> bytes:
    return glb.with_extras(glb.joined({"asset": {"version": "2.0"}}, b""), {"made_by": SECRET.decode()})


def a_clip() -> bytes:
    return rewritten(encode([Image.new("RGB", (32, 32))] * 4, 4.0), "video/mp4", {"comment": SECRET.decode()})


@pytest.mark.parametrize(
    ("media_type", "make"), [("audio/flac", a_sound), ("model/gltf-binary", a_solid), ("video/mp4", a_clip)]
)
def test_what_made_it_is_taken_out(media_type: str, make: object) -> None:
    data = make()  # type: ignore[operator]
    told = unlabelled(data, media_type)
    assert SECRET in data and SECRET not in told and told
    assert unlabelled(b"broken", media_type) == b"" and unlabelled(b"words", "text/plain") == b"words"
