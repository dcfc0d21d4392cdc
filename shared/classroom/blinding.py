"""A work's file without what made it, for as long as a blind vote asks about it: the receipt in it names the model."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Mapping
from functools import lru_cache, partial

logger = logging.getLogger(__name__)


@lru_cache(maxsize=12)  # of the works of two votes; a class asks for each of them at once
def unlabelled(data: bytes, media_type: str) -> bytes:
    """The same to look at or to hear, and nothing said in it; nothing at all of what can't be read."""
    way = _WAYS.get(media_type)
    try:
        return way(data) if way else data
    except Exception:  # of whatever a broken file makes a reader stumble over
        logger.warning("A work of a blind vote can't be shown without its receipt: %s", media_type)
        return b""


def _picture(kind: str, data: bytes) -> bytes:
    from PIL import Image

    from shared.media.opening import open_picture

    plain, file = open_picture(data), io.BytesIO()
    options = {"lossless": True} if kind == "WEBP" else {"quality": 95} if kind == "JPEG" else {}
    image = plain.convert("RGB") if kind == "JPEG" else plain
    assert isinstance(image, Image.Image)
    image.save(file, kind, **options)
    return file.getvalue()


def _sound(data: bytes) -> bytes:
    import soundfile

    samples, rate = soundfile.read(io.BytesIO(data), dtype="int16", always_2d=True)
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="FLAC", subtype="PCM_16")
    return file.getvalue()


def _clip(kind: str, data: bytes) -> bytes:
    from shared.video.labelling import rewritten

    return rewritten(data, kind, {})


def _solid(data: bytes) -> bytes:
    from shared.solid import glb

    document, rest = glb.parted(data)
    return glb.joined({**document, "asset": {"version": "2.0"}}, rest)


_WAYS: Mapping[str, Callable[[bytes], bytes]] = {
    **{f"image/{kind.lower()}": partial(_picture, kind) for kind in ("PNG", "JPEG", "WEBP")},
    **{f"video/{kind}": partial(_clip, f"video/{kind}") for kind in ("mp4", "webm")},
    "audio/flac": _sound,
    "model/gltf-binary": _solid,
}
