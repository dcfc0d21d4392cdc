"""Writes into a sound's file what made it, so that it can be made again: one JSON text among its comments."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from shared.media.publishing import public, without_keys
from shared.media.sound.files import encode
from shared.outputs import AudioOutput
from shared.receipts import Receipt
from shared.requests import Request

KEYWORD = "genai_playground"
_TITLE = 80  # characters


def label(sound: AudioOutput, kind: str, receipt: Receipt, request: Request) -> bytes:
    """The sound as a file of that kind with its receipt and request in it. Raises what `encode` raises."""
    return encode(sound, kind, comment=comment(receipt, request), title=title(request))


def comment(receipt: Receipt, request: Request) -> str:
    """What a file of any kind holds of how it was made: JSON in ASCII."""
    return json.dumps({KEYWORD: document(receipt, request)}, ensure_ascii=True, default=str)


def title(request: Request) -> str:
    """The beginning of what was asked for, on one line."""
    text = next(iter(request.texts()), "")
    return " ".join(without_keys(text).split())[:_TITLE]


def document(receipt: Receipt, request: Request) -> dict[str, Any]:
    """What made the sound, with nothing in it that is this machine's or this person's own."""
    named = [field.name for field in dataclasses.fields(request) if field.name not in request.KEPT_BACK]
    given = {name: getattr(request, name) for name in named}
    asked = {name: _keyless(value) for name, value in given.items() if value is not None and value != ()}
    return {"receipt": public(receipt.to_dict()), "request": asked}


def _keyless(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return [_keyless(each) for each in value] if isinstance(value, tuple) else without_keys(value)
