"""Who can hear speech back: rows of `listeners.toml`, and whether each can here."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from shared.backends.base import require
from shared.errors import BackendError, InvalidRequest, MissingDependency


@dataclass(frozen=True)
class Part:
    """A file of a listener's folder, and the files of packages that it is joined of."""

    name: str
    parts: tuple[str, ...]
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Listener:
    """Something that writes down what it hears; the fields are those of `listeners.toml`."""

    id: str
    name: str
    about: str
    reader: str
    languages: tuple[str, ...]
    license: str
    source: str
    install: str = ""
    files: tuple[Part, ...] = ()
    repo_id: str = ""


@cache
def listeners() -> dict[str, Listener]:
    """All of them by id, the usual one first."""
    rows = tomllib.loads((Path(__file__).parent / "listeners.toml").read_text(encoding="utf-8"))["listener"]
    return {row["id"]: _read(row) for row in rows}


def _read(row: dict[str, Any]) -> Listener:
    files = tuple(Part(file["name"], tuple(file["parts"]), file["sha256"]) for file in row.pop("file", []))
    return Listener(files=files, languages=tuple(row.pop("languages")), **row)


def get(listener_id: str) -> Listener:
    """The listener by that id. Raises `InvalidRequest`, naming those there are."""
    if listener_id not in listeners():
        raise InvalidRequest(f"Nobody called {listener_id[:60]!r} listens here. There are: {', '.join(listeners())}.")
    return listeners()[listener_id]


def check(listener: Listener) -> None:
    """Raise `MissingDependency`, with the command that mends it. Quick: no file is read."""
    if listener.repo_id:
        for module in ("torch", "transformers"):
            require(module)
        return
    modules = [part.partition("/")[0] for file in listener.files for part in file.parts]
    missing = next((module for module in ["ctranslate2", *modules] if modules and find_spec(module) is None), None)
    if missing:
        raise MissingDependency(missing, listener.install)


def reason(listener: Listener) -> str | None:
    """Why it can't listen here, or None."""
    try:
        check(listener)
    except BackendError as error:
        return str(error)
    return None
