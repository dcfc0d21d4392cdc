"""Clips as files that a page can play and a person can keep, each with its receipt inside or beside it."""

from __future__ import annotations

from pathlib import Path

from shared.receipts import Receipt
from shared.requests import VideoRequest
from shared.ui.temporary import new_folder, slug
from shared.video.exporting import KINDS
from shared.video.finishing import Finished

_SUFFIXES = {kind.media_type: kind.suffix for kind in KINDS.values()}


def keep(finished: Finished, request: VideoRequest, receipt: Receipt) -> list[str]:
    """Write the clip and, where it has one, the JSON beside it; their paths."""
    seed = "" if receipt.seed is None else f"-{receipt.seed}"
    paths = [write(f"{request.prompt[:40]}{seed}", finished.data, finished.media_type)]
    if finished.sidecar is not None:
        beside = Path(paths[0]).with_suffix(".json")
        beside.write_bytes(finished.sidecar)
        paths.append(str(beside))
    return paths


def write(name: str, data: bytes, media_type: str) -> str:
    """Write a file in a folder of its own; its path."""
    stem = slug(name) or "clip"
    file = new_folder() / f"{stem[:60]}{_SUFFIXES.get(media_type, '.mp4')}"
    file.write_bytes(data)
    return str(file)
