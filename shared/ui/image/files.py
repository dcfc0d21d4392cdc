"""Pictures as files that a page can show and a person can keep, each with its receipt inside or beside it."""

from __future__ import annotations

from shared.image.drawing import Drawing
from shared.image.finishing import finish
from shared.requests import ImagePart, ImageRequest
from shared.settings import Settings
from shared.ui.temporary import new_folder, slug

SUFFIXES = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp", "image/gif": ".gif"}


def keep(drawing: Drawing, request: ImageRequest, settings: Settings) -> tuple[list[str], str]:
    """Write a finished drawing's pictures; returns their paths, and what there is to say about them.

    A sidecar lies beside a picture that its provider signed. Raises `BackendError` where one can't be signed.
    """
    paths, words = [], []
    for number, finished in enumerate(finish(drawing, request, settings)):
        seed = drawing.seed_of(number)
        name = request.prompt[:40] if seed is None else f"{request.prompt[:40]}-{seed}"
        paths.append(write(name, finished.image, finished.sidecar)[0])
        words.append(finished.words)
    return paths, " ".join(dict.fromkeys(filter(None, words)))


def write(name: str, image: ImagePart, sidecar: bytes | None) -> list[str]:
    """Write the picture and, beside it, its sidecar where it has one; returns their paths."""
    stem = slug(name) or "picture"
    file = new_folder() / f"{stem[:60]}{SUFFIXES.get(image.media_type, '.png')}"
    file.write_bytes(image.data)
    if sidecar is None:
        return [str(file)]
    file.with_suffix(".json").write_bytes(sidecar)
    return [str(file), str(file.with_suffix(".json"))]
