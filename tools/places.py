"""Where things are: the project's folder, its environment, the Spaces."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
STATE = ROOT / ".playground"  # what set-up keeps beside the environment
WINDOWS = os.name == "nt"


def venv_python(venv: Path = VENV) -> Path:
    """The environment's interpreter."""
    return venv / ("Scripts/python.exe" if WINDOWS else "bin/python")


def site_packages(venv: Path = VENV) -> Path | None:
    """The environment's packages folder, or None where there is none."""
    return next(iter(sorted(venv.glob("Lib/site-packages" if WINDOWS else "lib/python3*/site-packages"))), None)


def spaces() -> dict[str, Path]:
    """Each Space's name and its app.py, in alphabetical order."""
    return {app.parent.name: app for app in sorted(ROOT.glob("spaces/*/app.py"))}
