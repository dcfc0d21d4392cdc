"""Which files of a folder Git can't keep itself: the Hub wants large and binary ones in Git LFS."""

from __future__ import annotations

from pathlib import Path

LARGEST = 10_000_000  # bytes that the Hub takes in Git itself
_LOOKED_AT = 8000  # bytes, as Git does to tell text from binary


def large_files(folder: Path) -> list[Path]:
    """The files that go to LFS, by path within the folder."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return [path.relative_to(folder) for path in files if path.stat().st_size > LARGEST or _is_binary(path)]


def attributes(folder: Path) -> str:
    """The text of `.gitattributes`: a line for each ending that binary files have; a large text by its own path."""
    patterns = dict[str, None]()
    for path in large_files(folder):
        whole = path.suffix and _is_binary(folder / path)
        patterns[f"*{path.suffix}" if whole else path.as_posix().replace(" ", "[[:space:]]")] = None
    return "".join(f"{pattern} filter=lfs diff=lfs merge=lfs -text\n" for pattern in sorted(patterns))


def _is_binary(path: Path) -> bool:
    with path.open("rb") as file:
        return b"\0" in file.read(_LOOKED_AT)
