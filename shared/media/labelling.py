"""Writes into a picture's file what made it, so that it can be made again. Pixels stay as they are.

A PNG gets two texts: `genai_playground` (JSON: receipt and request) and `parameters`, which other tools read. JPEG and
WebP get both in EXIF. A file with Content Credentials isn't touched: its JSON is given beside it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.media import a1111, exif, png
from shared.media.credentials import has_credentials
from shared.media.publishing import public, without_keys
from shared.media.samplers import sampler_name
from shared.receipts import Receipt
from shared.requests import ImagePart, ImageRequest

KEYWORD = "genai_playground"
_PICTURES = ("image", "mask_image", "control_image")


@dataclass(frozen=True)
class Labelled:
    """The picture's file, and the JSON to keep beside it where the file can't hold what made it."""

    data: bytes
    sidecar: bytes | None = None


def label(
    image: ImagePart, receipt: Receipt, request: ImageRequest, seed: int | None, variation_seed: int | None = None
) -> Labelled:
    """The picture with its receipt and request in it. Never raises for a bad file.

    `seed` and `variation_seed` are this picture's own.
    """
    own = {"seed": seed} | ({} if variation_seed is None else {"variation_seed": variation_seed})
    document = _document(receipt, request, own)
    text = json.dumps(document, ensure_ascii=False, default=str)
    if not has_credentials(image.data) and len(text.encode("utf-8", "replace")) < png.MAX_TEXT:
        try:
            return Labelled(_written(image.data, text, _parameters(receipt, request, own)))
        except exif.UNREADABLE:
            pass  # a kind of file, or a file, that can't hold it
    beside = document | {"picture_sha256": hashlib.sha256(image.data).hexdigest()}
    return Labelled(
        image.data, json.dumps(beside, indent=2, ensure_ascii=False, default=str).encode("utf-8", "replace")
    )


def _written(data: bytes, text: str, parameters: str) -> bytes:
    if data.startswith(png.SIGNATURE):
        return png.with_texts(data, {KEYWORD: text, "parameters": parameters})
    block = exif.block(text, parameters)
    return exif.into_webp(data, block) if data.startswith(b"RIFF") else exif.into_jpeg(data, block)


def _document(receipt: Receipt, request: ImageRequest, own: Mapping[str, int | None]) -> dict[str, Any]:
    given = {f.name: getattr(request, f.name) for f in dataclasses.fields(request) if f.name not in _PICTURES}
    asked: dict[str, Any] = {name: without_keys(value) for name, value in given.items() if value is not None}
    asked |= {f"image_{name}": value for name, value in own.items()}
    asked["from"] = [name for name in _PICTURES if getattr(request, name) is not None]
    return {"receipt": public(receipt.to_dict()), "request": asked}


def _parameters(receipt: Receipt, request: ImageRequest, own: Mapping[str, int | None]) -> str:
    used = {**receipt.settings, **request.settings(), **own}
    used = {name: without_keys(value) for name, value in used.items() if name not in receipt.unhonoured}
    scheduler = used.get("scheduler")
    sampler = sampler_name(scheduler) if isinstance(scheduler, str) else None
    return a1111.write(without_keys(request.prompt), used, sampler, public(receipt.name))
