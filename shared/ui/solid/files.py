"""Solids as files that a page can show and a person can keep."""

from __future__ import annotations

from shared.solid.files import kind_of
from shared.solid.finishing import Finished
from shared.ui.temporary import new_folder, slug


def write(finished: Finished, kind: str, material: str = "painted") -> str:
    """Write the solid as a file of that kind, in a folder of its own; its path. Raises `InvalidRequest`."""
    data = finished.file(kind, material)
    path = new_folder() / f"{stem(finished)}{kind_of(kind).suffix}"
    path.write_bytes(data)
    return str(path)


def write_bytes(name: str, data: bytes) -> str:
    """Write a file of that name, in a folder of its own; its path."""
    path = new_folder() / name
    path.write_bytes(data)
    return str(path)


def stem(finished: Finished) -> str:
    """A file's name without its ending: the first words of what was asked for, and the seed."""
    prompt = str((finished.made or {}).get("request", {}).get("prompt", ""))
    words = slug(prompt[:80])[:40]
    receipt = finished.receipt
    seed = "" if receipt is None or receipt.seed is None else f"-{receipt.seed}"
    return f"{words or 'solid'}{seed}"
