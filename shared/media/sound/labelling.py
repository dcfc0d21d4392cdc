"""Writes into a sound's file what made it, so that it can be made again: one JSON text among its comments."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from shared.media.publishing import public, without_keys
from shared.media.sound.files import encode
from shared.outputs import AudioOutput
from shared.receipts import Receipt
from shared.requests import SpeechRequest

KEYWORD = "genai_playground"
_TITLE = 80  # characters


def label(sound: AudioOutput, kind: str, receipt: Receipt, request: SpeechRequest) -> bytes:
    """The sound as a file of that kind with its receipt and request in it. Raises what `encode` raises."""
    text = json.dumps({KEYWORD: document(receipt, request)}, ensure_ascii=True, default=str)
    title = " ".join(without_keys(request.text).split())[:_TITLE]
    return encode(sound, kind, comment=text, title=title)


def document(receipt: Receipt, request: SpeechRequest) -> dict[str, Any]:
    """What made the sound, with nothing in it that is this machine's or this person's own."""
    given = {f.name: getattr(request, f.name) for f in dataclasses.fields(request)}
    asked = {name: without_keys(value) for name, value in given.items() if value is not None and value != ()}
    if request.speakers:
        asked["speakers"] = [[without_keys(part) for part in pair] for pair in request.speakers]
    return {"receipt": public(receipt.to_dict()), "request": asked}
