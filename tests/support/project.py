"""Copies of the project for the tests of `run.py`, each with an environment made of links to the packages here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

from tests.support.server import ROOT

_COPIED = ("run.py", "requirements.txt", "requirements-dev.txt", "requirements-starter.txt", "requirements.lock")
CLOSED = "http://127.0.0.1:9"  # nothing listens there: what asks the network fails at once


def copy_project(folder: Path) -> Path:
    """What set-up needs of the project, in a new folder."""
    folder.mkdir(parents=True)
    for name in _COPIED:
        shutil.copy(ROOT / name, folder / name)
    ignore = shutil.ignore_patterns("__pycache__")
    for name in ("tools", "shared", "spaces"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignore)
    return folder


def give_environment(project: Path) -> Path:
    """A real environment whose packages are links to those that run this test: whole, and made in a second."""
    venv = project / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    theirs = next(venv.glob("lib/python3*/site-packages"))
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if entry.name.endswith(".dist-info") or entry.name == "pip":
            # Copied, for tests take some away; the files within stay links.
            shutil.copytree(entry, theirs / entry.name, copy_function=os.symlink)
        else:
            (theirs / entry.name).symlink_to(entry)
    return venv


def environment_of(folder: Path, requirements: Iterable[str]) -> Path:
    """An environment that holds what pip would install for these requirements and nothing else; its interpreter.

    It is made of links to the packages here, so a requirement that is not installed here is left out.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    theirs = next(folder.glob("lib/python3*/site-packages"))
    here = Path(sysconfig.get_path("purelib"))
    for held in closure(requirements):
        tops = {Path(file).parts[0] for file in held.files or ()} - {"..", "__pycache__"}
        for top in tops:
            if not (theirs / top).exists():
                (theirs / top).symlink_to(here / top)
    return folder / "bin" / "python"


def closure(requirements: Iterable[str]) -> list[Distribution]:
    """The distributions that the requirements bring, with their own, extras and markers heeded."""
    found: dict[tuple[str, str], Distribution] = {}
    waiting = [Requirement(text) for text in requirements]
    while waiting:
        wanted = waiting.pop()
        try:
            held = distribution(wanted.name)
        except PackageNotFoundError:
            continue
        for extra in ("", *wanted.extras):
            if (held.name, extra) in found:
                continue
            found[held.name, extra] = held
            needs = map(Requirement, held.requires or ())
            waiting += [n for n in needs if n.marker is None or n.marker.evaluate({"extra": extra})]
    return list({held.name: held for held in found.values()}.values())


def offline() -> dict[str, str]:
    """The environment variables of a machine without a network, and with nothing of this test's own Python."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), CLOSED)
    return kept | proxies | {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, "PYTHONDONTWRITEBYTECODE": "1"}


def run_py(project: Path, *arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the copy's `run.py` to its end, with the Python that the environment was made from."""
    python = getattr(sys, "_base_executable", sys.executable)
    command = [python, str(project / "run.py"), *arguments]
    return subprocess.run(
        command, cwd=project.parent, env=env or offline(), capture_output=True, text=True, timeout=120
    )
