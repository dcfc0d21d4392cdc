"""Copies one Space with all it needs into a folder that runs alone, as a Hugging Face Space does.

Run in the environment: `python -m tools.bundle_inside NAME FOLDER`.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import yaml

from shared.errors import BackendError
from shared.starter import BUNDLED, locate, locate_folder, starters
from tools.places import ROOT, spaces

# Large files go to Git LFS, which the platform asks for above 10 MB.
_ATTRIBUTES = "".join(
    f"*.{ending} filter=lfs diff=lfs merge=lfs -text\n" for ending in ("gguf", "safetensors", "onnx", "bin")
)
_NOT_COPIED = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")


def bundle(name: str, folder: Path) -> Path:
    """Write the Space `name` into `folder`, which must be new or empty, and return it.

    Raises `ValueError` for an unknown Space or a folder that holds something.
    """
    known = spaces()
    if name not in known:
        raise ValueError(f"There is no Space called {name!r}. There are: {', '.join(known)}.")
    if folder.exists() and any(folder.iterdir()):
        raise ValueError(f"{folder} holds files already. Give a new or an empty folder.")
    shutil.copytree(known[name].parent, folder, ignore=_NOT_COPIED, dirs_exist_ok=True)
    shutil.copytree(ROOT / "shared", folder / "shared", ignore=_NOT_COPIED)
    shutil.copy(ROOT / "LICENSE", folder / "LICENSE")
    (folder / ".gitattributes").write_text(_ATTRIBUTES, encoding="utf-8")
    for filename, weights in _starter_files(folder / "README.md"):
        place = folder / BUNDLED / filename
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(weights, place)
    for name, found in _own_weights(folder / "README.md").items():
        if isinstance(found, Path):
            shutil.copytree(found, folder / BUNDLED / name)
    return folder


def left_out(folder: Path) -> list[str]:
    """Why starter models that the Space names are not in it: this copy of the project hasn't them."""
    return [found for found in _own_weights(folder / "README.md").values() if isinstance(found, str)]


def _own_weights(readme: Path) -> dict[str, Path | str]:
    """The folders of the project's own starter models that the front matter names, or why there is none."""
    names = front_matter(readme).get("playground_weights") or []
    assert isinstance(names, list)
    found: dict[str, Path | str] = {}
    for name in map(str, names):
        try:
            found[name] = locate_folder(name)
        except BackendError as error:
            found[name] = str(error)
    return found


def front_matter(readme: Path) -> dict[str, object]:
    """The YAML between the first two `---` lines. Raises `ValueError` where there is none."""
    parts = readme.read_text(encoding="utf-8").split("---\n", 2)
    values = yaml.safe_load(parts[1]) if len(parts) == 3 and not parts[0] else None
    if not isinstance(values, dict):
        raise ValueError(f"{readme} has no front matter.")
    return values


def _starter_files(readme: Path) -> list[tuple[str, Path]]:
    """The weights of packages, by name, of the models and the packages that the front matter names."""
    told = front_matter(readme)
    models, packages = told.get("models") or [], told.get("playground_packages") or []
    assert isinstance(models, list) and isinstance(packages, list)
    wanted = [s for s in starters().values() if s.package in packages or any(model in s.source for model in models)]
    return [(s.filename, locate(s.package, s.filename)) for s in wanted]


def main() -> int:
    """Read the command line, and say what was made."""
    parser = argparse.ArgumentParser(prog="run.py bundle", description="Copy one Space into a folder that runs alone.")
    parser.add_argument("name", help="the Space, for example chat")
    parser.add_argument("folder", type=Path, help="a new or an empty folder")
    options = parser.parse_args()
    try:
        folder = bundle(options.name, options.folder.expanduser().resolve())
    except ValueError as error:
        print(error)
        return 1
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6
    print(f"{options.name} is in {folder} ({size:.0f} MB). It runs there with: python app.py")
    for reason in left_out(folder):
        print(f"Left out: {reason}")
    print(f"To put it on Hugging Face: hf upload YOUR_NAME/{options.name} {folder} --repo-type space")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
