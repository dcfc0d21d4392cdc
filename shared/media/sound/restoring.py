"""Reads settings back from a dropped sound, or from the JSON of a receipt: each is checked before it is taken."""

from __future__ import annotations

from collections.abc import Iterable
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
    used = settings_of(document(data, comments(data), _NOTHING), "text", _NOTHING)
    for name in (*_TEXTS, "model"):
        found.text(name, used.get(name))
    for name in _NUMBERS:
        found.number(name, used.get(name))
    speakers = _speakers(used.get("speakers"), found)
    return RestoredSpeech(ignored=found.ignored, speakers=speakers, **found.values)


def made_here(data: bytes) -> dict[str, Any]:
    """The document that a sound file made here carries; empty where it carries none."""
    try:
        return _dict(document(data, comments(data), _NOTHING))
    except InvalidRequest:
        return {}


def document(data: bytes, texts: Iterable[str], nothing: str) -> Any:
    """What this playground wrote: the JSON among the file's texts, or the whole file where it is JSON itself.

    Raises `InvalidRequest` for a file that is too large, with the words `nothing` where there is no such text.
    """
    if len(data) > MAX_BYTES:
        raise InvalidRequest(f"The file is larger than {MAX_BYTES // 1_000_000} MB. Drop it as it was saved.")
    if data.lstrip()[:1] == b"{":
        whole = load_json(data.decode("utf-8", "replace"))
        return whole.get(KEYWORD, whole)
    mark = f'{{"{KEYWORD}"'
    text = next((text for text in texts if text.lstrip().startswith(mark)), None)
    if text is None:
        raise InvalidRequest(nothing)
    return load_json(text)[KEYWORD]


def settings_of(document: Any, content: str, nothing: str) -> dict[str, Any]:
    """The settings of such a document by name, the person's before the model's own, with `seed` and `model`.

    `content`: what the request must hold; without it, raises `InvalidRequest` with the words `nothing`.
    """
    whole = _dict(document)
    request, receipt = _dict(whole.get("request")), _dict(whole.get("receipt"))
    if not isinstance(request.get(content), str) or not request[content].strip():
        raise InvalidRequest(nothing)
    return {"seed": receipt.get("seed"), **_dict(receipt.get("settings")), **request, "model": receipt.get("model")}


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
