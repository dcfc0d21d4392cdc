"""What made a file, by what the file itself says, or by the JSON that lies beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from shared.errors import InvalidRequest
from shared.media import exif, png
from shared.media.fields import load_json
from shared.media.labelling import KEYWORD

_NOTHING = "This output doesn't say how it was made, so that there is nothing to hand on."


def document_of(path: Path) -> dict[str, Any]:
    """Request and receipt. Raises `InvalidRequest` where there are none, or no such file any more."""
    try:
        beside = path.with_suffix(".json")
        if beside.is_file():
            return _checked(load_json(beside.read_text(encoding="utf-8")))
        return _checked(_READERS.get(path.suffix.lower(), _sound)(path.read_bytes()))
    except OSError:
        raise InvalidRequest("The file isn't there any more. Make it once more.") from None


def _checked(document: Any) -> dict[str, Any]:
    whole = document.get(KEYWORD, document) if isinstance(document, dict) else None
    if not isinstance(whole, dict) or not isinstance(whole.get("request"), dict):
        raise InvalidRequest(_NOTHING)
    return whole


def _picture(data: bytes) -> Any:
    try:
        read: Mapping[str, str] = (
            png.texts(data, frozenset({KEYWORD})) if data.startswith(png.SIGNATURE) else exif.read(data)
        )
    except exif.UNREADABLE:
        raise InvalidRequest(_NOTHING) from None
    return load_json(read.get(KEYWORD) or "{}")


def _among(texts: Iterable[str]) -> Any:
    from shared.media.sound.restoring import document

    return document(b"", texts, _NOTHING)


def _clip(data: bytes) -> Any:
    from shared.video.reading import texts

    return _among(texts(data).values())


def _sound(data: bytes) -> Any:
    from shared.media.sound.tags import comments

    return _among(comments(data))


def _notes(data: bytes) -> Any:
    from shared.music import midi

    return _among(midi.texts(data))


def _solid(data: bytes) -> Any:
    from shared.solid.restoring import made_here

    return made_here(data)


_READERS: Mapping[str, Callable[[bytes], Any]] = {
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".webp"), _picture),
    **dict.fromkeys((".mp4", ".webm"), _clip),
    ".mid": _notes,
    ".glb": _solid,
}
