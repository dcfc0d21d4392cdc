"""The tunes, out of a Python package, and the soundfont, out of an npm package. Neither is installed."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

TUNES = "music21==10.5.1"
TUNES_SHA256 = "dc3309498c4c95cebdf8d4f20c868deb6b63bce1d929cad4f51a7ccc982987b1"
SOUNDS = "@coderline/alphatab@1.8.4"
SOUNDS_SHA256 = "70b2c77abc9698a055d90a11d77308b6b41247936476e969d85770e3d4db4602"
USED = ("ryansMammoth/", "oneills1850/", "bach/", "license.txt")  # below music21/corpus; sources.toml says why


def fetch(work: Path) -> None:
    """Download both packages and unpack what is used, unless it is there. Raises `CalledProcessError`, `ValueError`."""
    work.mkdir(parents=True, exist_ok=True)
    if not (work / "corpus").is_dir():
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(work), TUNES]
        subprocess.run(command, check=True)
        _unzip(_checked(next(work.glob("music21-*.whl")), TUNES_SHA256), work / "corpus.part")
        (work / "corpus.part").rename(work / "corpus")
    if not (work / "soundfont").is_dir():
        subprocess.run(["npm", "pack", "--silent", SOUNDS], cwd=work, check=True, stdout=subprocess.DEVNULL)
        _untar(_checked(next(work.glob("coderline-alphatab-*.tgz")), SOUNDS_SHA256), work / "soundfont.part")
        (work / "soundfont.part").rename(work / "soundfont")


def _checked(file: Path, sha256: str) -> Path:
    with file.open("rb") as opened:
        found = hashlib.file_digest(opened, "sha256").hexdigest()
    if found != sha256:
        raise ValueError(f"{file.name} is not the file whose licences were checked: its sha256 is {found}.")
    return file


def _unzip(archive: Path, folder: Path) -> None:
    top = "music21/corpus/"
    with zipfile.ZipFile(archive) as opened:
        for entry in opened.infolist():
            inside = entry.filename.removeprefix(top)
            if entry.filename.startswith(top) and inside.startswith(USED) and not entry.is_dir():
                (folder / inside).parent.mkdir(parents=True, exist_ok=True)
                (folder / inside).write_bytes(opened.read(entry))


def _untar(archive: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive) as opened:
        for name in ("sonivox.sf2", "LICENSE"):
            inside = opened.extractfile(f"package/dist/soundfont/{name}")
            assert inside is not None
            (folder / name).write_bytes(inside.read())
