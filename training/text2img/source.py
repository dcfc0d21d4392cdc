"""The emoji and their words, from two npm packages of free licences."""

from __future__ import annotations

import json
import re
import subprocess
import tarfile
import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Both MIT: Microsoft's Fluent Emoji as pictures of 256 px, and Missive's names and keywords.
PICTURES = "@lobehub/fluent-emoji-3d@1.1.0"
WORDS = "@emoji-mart/data@1.2.1"
COLOUR_WORDS = ["red", "orange", "yellow", "green", "blue", "purple", "pink", "white", "black", "brown"]
# How often a picture is drawn in training: what `words.toml` calls everyday, and else by its kind.
EVERYDAY = 3.0
KINDS = {"nature": 0.5, "foods": 0.5, "activity": 0.5, "places": 0.5, "objects": 0.5, "people": 0.2, "symbols": 0.08}
HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Emoji:
    """One picture and what it is called. `names`: best first. `keywords`: only those that few others share."""

    id: str
    kind: str
    file: Path
    names: tuple[str, ...]
    keywords: tuple[str, ...]
    everyday: bool

    @property
    def weight(self) -> float:
        """How often its picture is drawn in training."""
        return EVERYDAY if self.everyday else KINDS[self.kind]

    @property
    def noun(self) -> str:
        """The name without a colour: what stays when the picture is dyed."""
        return " ".join(w for w in self.names[0].split() if w not in COLOUR_WORDS)


def words() -> dict[str, Any]:
    """The hand-written part: everyday names, things to wear, colours."""
    return tomllib.loads((HERE / "words.toml").read_text("utf-8"))


def fetch(work: Path) -> None:
    """Download and unpack both packages with npm, unless they are there. Raises `CalledProcessError`."""
    for package, folder in ((PICTURES, work / "pictures"), (WORDS, work / "words")):
        if folder.is_dir():
            continue
        work.mkdir(parents=True, exist_ok=True)
        told = subprocess.run(["npm", "pack", "--json", package], cwd=work, check=True, stdout=subprocess.PIPE)
        unpacked = folder.with_suffix(".part")
        with tarfile.open(work / json.loads(told.stdout)[0]["filename"]) as archive:
            archive.extractall(unpacked, filter="data")
        (unpacked / "package").rename(folder)
        unpacked.rmdir()


def captions(work: Path) -> list[tuple[list[str], float]]:
    """Of each training picture: what it may be called, and how often it is drawn."""
    return [(names, weight) for names, weight in json.loads((work / "captions.json").read_text("utf-8"))]


def emoji(work: Path) -> list[Emoji]:
    """Every emoji that has a picture and isn't a flag, in a fixed order."""
    data = json.loads((work / "words/sets/15/native.json").read_text("utf-8"))
    kinds = {name: category["id"] for category in data["categories"] for name in category["emojis"]}
    shared = Counter(word for entry in data["emojis"].values() for word in set(entry["keywords"]))
    everyday, called = set(words()["everyday"]), words()["names"]
    found = []
    for name, entry in sorted(data["emojis"].items()):
        file = _picture(work / "pictures/assets", entry["skins"][0]["unified"].lower())
        if file is None or kinds.get(name) not in KINDS:
            continue
        keywords = tuple(w for w in entry["keywords"] if shared[w] <= 3 and re.fullmatch("[a-z]{3,}", w))
        names = [*called.get(name, []), _plain(entry["name"])]
        names += [n.removesuffix(" face") for n in names if n.endswith(" face")]
        found.append(Emoji(name, kinds[name], file, tuple(dict.fromkeys(names)), keywords, name in everyday))
    return found


def _picture(folder: Path, code: str) -> Path | None:
    for stem in (code, code.replace("-fe0f", "")):
        if (folder / f"{stem}.webp").is_file():
            return folder / f"{stem}.webp"
    return None


def _plain(name: str) -> str:
    return " ".join(re.sub(r"[^a-z0-9 ]", " ", name.lower().replace("’", "")).split())
