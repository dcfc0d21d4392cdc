"""Copies one Space, or all as one, with all it needs into a folder that runs alone, as a Hugging Face Space does.

Run in the environment: `python -m tools.bundle_inside NAME [FOLDER] [--hardware H]`.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from shared.errors import BackendError
from shared.starter import BUNDLED, locate, locate_folder, starters
from tools.front_matter import front_matter, hardware_names, problems, with_changes
from tools.hardware import merged, requirements_for
from tools.large_files import attributes
from tools.places import ROOT, spaces

HUB = "hub"
MADE = ROOT / "dist" / "spaces"  # where a bundle goes if nobody says where
_NOT_COPIED = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")
_HUB_APP = '''"""All playgrounds as one Space: a landing page, and each at a path of its own."""

from shared.ui.hub import main

if __name__ == "__main__":
    main()
'''


def bundle(name: str, folder: Path, hardware: str | None = None) -> Path:
    """Write the Space `name`, or all as one for `hub`, into `folder`, which must be new or empty, and return it.

    `hardware`: what it will run on there, by the platform's name; None takes what its README suggests. Raises
    `ValueError` for an unknown Space, a folder that holds something, or a front matter that the platform refuses.
    """
    known = known_as(name)
    if folder.exists() and any(folder.iterdir()):
        raise ValueError(f"{folder} holds files already. Give a new or an empty folder.")
    if name == HUB:
        _copy_all(folder, known)
    else:
        shutil.copytree(known[name].parent, folder, ignore=_NOT_COPIED, dirs_exist_ok=True)
    shutil.copytree(ROOT / "shared", folder / "shared", ignore=_NOT_COPIED)
    shutil.copy(ROOT / "LICENSE", folder / "LICENSE")
    _fit_to(folder, hardware)
    _copy_weights(folder)
    (folder / ".gitattributes").write_text(attributes(folder), encoding="utf-8")
    gradio = next(line for line in (ROOT / "requirements.txt").read_text("utf-8").splitlines() if "gradio[" in line)
    if wrong := problems(front_matter(folder / "README.md"), folder, gradio.partition("==")[2]):
        raise ValueError(f"The front matter of {name} would be refused: {'; '.join(wrong)}.")
    return folder


def known_as(name: str) -> dict[str, Path]:
    """The Spaces, by name. Raises `ValueError` where that is the name of none of them, nor of all together."""
    known = spaces()
    if name != HUB and name not in known:
        raise ValueError(f"There is no Space called {name!r}. There are: {', '.join([*known, HUB])}.")
    return known


def _copy_all(folder: Path, known: dict[str, Path]) -> None:
    """The Spaces in their folders, and what makes one Space of them: its app, and what they all need together."""
    for name, app in known.items():
        shutil.copytree(app.parent, folder / "spaces" / name, ignore=_NOT_COPIED)
    (folder / "app.py").write_text(_HUB_APP, encoding="utf-8")
    heads = [front_matter(app.parent / "README.md") for app in known.values()]
    together = {key: _union(heads, key) for key in ("models", "tags", "playground_weights", "playground_packages")}
    readme = with_changes(ROOT / "spaces" / "README.md", together)
    (folder / "README.md").write_text(readme, encoding="utf-8")
    for file, join in (("requirements.txt", merged), ("packages.txt", _distinct)):
        texts = [path.read_text("utf-8") for app in known.values() if (path := app.parent / file).is_file()]
        if texts:
            (folder / file).write_text(join(texts), encoding="utf-8")


def _union(heads: list[dict[str, object]], key: str) -> list[object] | None:
    lists = [values for head in heads if isinstance(values := head.get(key), list)]
    return list(dict.fromkeys(value for values in lists for value in values)) or None


def _distinct(texts: list[str]) -> str:
    return "".join(f"{line}\n" for line in dict.fromkeys(line for text in texts for line in text.split()))


def _fit_to(folder: Path, hardware: str | None) -> None:
    """The requirements for the hardware, and its name in the front matter."""
    readme, needs = folder / "README.md", folder / "requirements.txt"
    suggested = str(front_matter(readme).get("suggested_hardware"))
    chosen = hardware or suggested
    # The platform may have what its client doesn't know yet.
    named = chosen if chosen in hardware_names() else suggested
    readme.write_text(with_changes(readme, {"suggested_hardware": named}), encoding="utf-8")
    needs.write_text(requirements_for(needs.read_text("utf-8"), chosen), encoding="utf-8")


def _copy_weights(folder: Path) -> None:
    for filename, weights in _starter_files(folder / "README.md"):
        place = folder / BUNDLED / filename
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(weights, place)
    for name, found in _own_weights(folder / "README.md").items():
        if isinstance(found, Path):
            shutil.copytree(found, folder / BUNDLED / name)


def left_out(folder: Path) -> list[str]:
    """Why starter models that the Space names are not in it: this copy of the project hasn't them."""
    return [found for found in _own_weights(folder / "README.md").values() if isinstance(found, str)]


def _own_weights(readme: Path) -> dict[str, Path | str]:
    """The folders of the project's own starter models that the front matter names, or why there is none."""
    names = front_matter(readme).get("playground_weights") or []
    found: dict[str, Path | str] = {}
    for name in map(str, names):
        try:
            found[name] = locate_folder(name)
        except BackendError as error:
            found[name] = str(error)
    return found


def _starter_files(readme: Path) -> list[tuple[str, Path]]:
    """The weights of packages, by name, of the models and the packages that the front matter names."""
    told = front_matter(readme)
    models, packages = told.get("models") or [], told.get("playground_packages") or []
    wanted = [s for s in starters().values() if s.package in packages or any(model in s.source for model in models)]
    return [(s.filename, locate(s.package, s.filename)) for s in wanted]


def size_mb(folder: Path) -> float:
    """What its files take together, in MB."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6


def main() -> int:
    """Read the command line, and say what was made."""
    parser = argparse.ArgumentParser(prog="run.py bundle", description="Copy a Space into a folder that runs alone.")
    parser.add_argument("name", help="the Space, for example chat; hub puts all of them into one")
    parser.add_argument("folder", type=Path, nargs="?", help="a new or empty folder (default: dist/spaces/NAME, anew)")
    parser.add_argument("--hardware", help="what it will run on, for example zero-a10g (default: what its README says)")
    parser.add_argument("--cwd", type=Path, default=Path(), help=argparse.SUPPRESS)  # where the person stands
    options = parser.parse_args()
    given = options.folder and (options.cwd / options.folder.expanduser()).resolve()
    folder = given or MADE / options.name
    if given is None and options.name in {*spaces(), HUB}:
        shutil.rmtree(folder, ignore_errors=True)  # what an earlier call left there
    try:
        bundle(options.name, folder, options.hardware)
    except (ValueError, BackendError) as error:
        print(error)
        return 1
    print(f"{options.name} is in {folder} ({size_mb(folder):.0f} MB). It runs there with: python app.py")
    for reason in left_out(folder):
        print(f"Left out: {reason}")
    print(f"To put it on Hugging Face: python3 run.py deploy {options.name} --to YOUR_NAME/{options.name}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
