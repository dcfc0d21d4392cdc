"""Reads settings back from a dropped sound, or from the JSON of a receipt: each is checked before it is taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.errors import InvalidRequest
from shared.media.fields import Fields, load_json
from shared.media.sound.labelling import KEYWORD
from shared.media.sound.tags import comments
from shared.requests import SpeechRequest

MAX_BYTES = 200_000_000  # of the file: an hour in WAV is 173 MB
_TEXTS = ("text", "voice", "language", "instructions")
_NUMBERS = ("seed", "speed", "temperature", "guidance_scale")
_MOST_SPEAKERS = 30
_NOTHING = (
    "This file doesn't say how it was made: it is no WAV, FLAC, Ogg or MP3 file of this playground, or an app has "
    "taken that out. Drop the file as it was first saved."
)


@dataclass(frozen=True, kw_only=True)
class RestoredSpeech:
    """What a file says about how it was made; None where it says nothing. `ignored`: what was left out, and why."""

    text: str = ""
    voice: str | None = None
    language: str | None = None
    instructions: str | None = None
    speakers: tuple[tuple[str, str], ...] = ()
    seed: int | None = None
    speed: float | None = None
    temperature: float | None = None
    guidance_scale: float | None = None
    model: str | None = None
    ignored: tuple[str, ...] = ()


def restore(data: bytes) -> RestoredSpeech:
    """Read a sound file or a receipt's JSON. Raises `InvalidRequest` where it says nothing of a speech."""
    found = Fields(SpeechRequest(text="-"))
    request, receipt = _parts(_document(data))
    if not isinstance(request.get("text"), str) or not request["text"].strip():
        raise InvalidRequest(_NOTHING)
    used = {**_dict(receipt.get("settings")), **request}
    for name in _TEXTS:
        found.text(name, used.get(name))
    for name in _NUMBERS:
        found.number(name, used.get(name) if name != "seed" else request.get("seed", receipt.get("seed")))
    found.text("model", receipt.get("model"))
    speakers = _speakers(used.get("speakers"), found)
    return RestoredSpeech(ignored=found.ignored, speakers=speakers, **found.values)


def made_here(data: bytes) -> dict[str, Any]:
    """The document that a sound file made here carries; empty where it carries none."""
    try:
        return _dict(_document(data))
    except InvalidRequest:
        return {}


def _document(data: bytes) -> Any:
    if len(data) > MAX_BYTES:
        raise InvalidRequest(f"The file is larger than {MAX_BYTES // 1_000_000} MB. Drop the sound as it was saved.")
    if data.lstrip()[:1] == b"{":
        document = load_json(data.decode("utf-8", "replace"))
        return document.get(KEYWORD, document)
    mark = f'{{"{KEYWORD}"'
    text = next((text for text in comments(data) if text.lstrip().startswith(mark)), None)
    if text is None:
        raise InvalidRequest(_NOTHING)
    return load_json(text)[KEYWORD]


def _parts(document: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    whole = _dict(document)
    return _dict(whole.get("request")), _dict(whole.get("receipt"))


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _speakers(value: Any, found: Fields) -> tuple[tuple[str, str], ...]:
    pairs = value if isinstance(value, list) else []
    good = [tuple(pair) for pair in pairs if isinstance(pair, list) and len(pair) == 2 and all(map(_named, pair))]
    if value and (len(good) < len(pairs) or len(pairs) > _MOST_SPEAKERS or not isinstance(value, list)):
        found.note("some of the speakers can't be read")
    return tuple((name.strip(), voice.strip()) for name, voice in good[:_MOST_SPEAKERS])


def _named(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and len(value) <= 100 and value.isprintable()
