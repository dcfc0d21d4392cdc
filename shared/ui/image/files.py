"""Pictures as files that a page can show and a person can keep, each with its receipt inside or beside it."""

from __future__ import annotations

import re
import tempfile
from functools import cache
from pathlib import Path

from shared.image.drawing import Drawing
from shared.media.labelling import label
from shared.requests import ImageRequest

SUFFIXES = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp", "image/gif": ".gif"}


@cache
def _folder() -> Path:
    """This process's folder under the system's place for temporary files, where Gradio may read."""
    return Path(tempfile.mkdtemp(prefix="playground-pictures-"))


def keep(drawing: Drawing, request: ImageRequest) -> list[str]:
    """Write a finished drawing's pictures; returns their paths. A sidecar lies beside a picture that is signed."""
    assert drawing.receipt is not None
    paths = []
    for number, image in enumerate(drawing.images):
        seed = drawing.seed_of(number)
        labelled = label(image, drawing.receipt, request, seed)
        folder = Path(tempfile.mkdtemp(dir=_folder()))
        stem = re.sub(r"[^a-z0-9]+", "-", request.prompt.lower()).strip("-")[:40] or "picture"
        file = folder / f"{stem}{'' if seed is None else f'-{seed}'}{SUFFIXES.get(image.media_type, '.png')}"
        file.write_bytes(labelled.data)
        if labelled.sidecar:
            file.with_suffix(".json").write_bytes(labelled.sidecar)
        paths.append(str(file))
    return paths
