"""OpenAI's Images API, which many servers speak: what is sent, and how an answer reads that is no stream."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from shared.backends.base import Usage
from shared.backends.hosted.download import fetch
from shared.backends.hosted.image_model import ImageCall, ImagePiece
from shared.backends.hosted.pictures import from_base64, from_bytes, no_picture, transparent_mask
from shared.requests import ImagePart

# The bytes of a picture that a person gave go under this name.
_NAMES = {"image/png": "image.png", "image/jpeg": "image.jpg", "image/webp": "image.webp"}


def files(image: ImagePart, mask: ImagePart | None) -> dict[str, Any]:
    """The picture to begin with and the mask on it, as `images.edit` takes them. Raises `InvalidRequest`."""
    return {"image": _file(image)} | ({"mask": _file(transparent_mask(image, mask))} if mask else {})


def _file(part: ImagePart) -> tuple[str, bytes, str]:
    return (_NAMES.get(part.media_type, "image"), part.data, part.media_type)


async def pieces(answer: Any, call: ImageCall, seed: int | None = None) -> AsyncIterator[ImagePiece]:
    """The pictures of an answer, sent or named by their addresses. Raises `ProviderError`."""
    rows = getattr(answer, "data", None)
    for row in rows if isinstance(rows, list) else []:
        yield ImagePiece(picture=await _picture(row, call), seed=seed)
    yield ImagePiece(usage=usage(answer), facts=facts(answer))


async def _picture(row: Any, call: ImageCall) -> ImagePart:
    name = call.account.name
    text, url = getattr(row, "b64_json", None), getattr(row, "url", None)
    if isinstance(text, str) and text:
        return from_base64(text, name)
    if isinstance(url, str) and url:
        return from_bytes(await fetch(url, call), name)
    raise no_picture(name)


def facts(answer: Any) -> dict[str, Any]:
    """What it says of how it drew."""
    return {"quality": quality} if (quality := getattr(answer, "quality", None)) else {}


def usage(answer: Any) -> Usage | None:
    """Its count of tokens, if it has one. All of the output is pictures where it doesn't say otherwise."""
    counted = getattr(answer, "usage", None)
    if counted is None:
        return None
    output = getattr(counted, "output_tokens", None)
    details = getattr(counted, "output_tokens_details", None)
    return Usage(
        input_tokens=getattr(counted, "input_tokens", None),
        output_tokens=output,
        input_image_tokens=getattr(getattr(counted, "input_tokens_details", None), "image_tokens", None),
        output_image_tokens=getattr(details, "image_tokens", None) if details else output,
    )
