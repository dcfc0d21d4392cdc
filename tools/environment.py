"""Makes the environment, and sees when it is broken: moved, half made, or its Python gone."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tools.ledger import Ledger
from tools.pipping import run
from tools.places import WINDOWS, venv_python
from tools.progress import Step
from tools.trouble import SetupError

STEP = "environment"


def why_broken(venv: Path, ledger: Ledger) -> str | None:
    """Why the environment can't be used, or None. Quick: for one that set-up finished, nothing is started."""
    if not venv.exists():
        return "there is none yet"
    if ledger.begun == STEP:
        return "it was only half made"
    if ledger.location is not None and ledger.location != str(venv):
        return "the folder was moved"
    if not venv_python(venv).exists():
        return "its Python is gone"
    if version(venv) is None or (version(venv) or (0, 0)) < (3, 11):
        return "its Python is older than 3.11"
    if not ledger.exists and not _pip_answers(venv):
        return "its pip doesn't work"
    return None


def version(venv: Path) -> tuple[int, int] | None:
    """The environment's Python version, from the file that Python wrote when making it."""
    try:
        lines = (venv / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    values = dict(line.replace(" ", "").split("=", 1) for line in lines if "=" in line)
    parts = (values.get("version") or values.get("version_info") or "").split(".")
    return (int(parts[0]), int(parts[1])) if len(parts) > 1 and parts[0].isdigit() and parts[1].isdigit() else None


def make(venv: Path, step: Step, held: int | None) -> Ledger:
    """Make the environment anew. Raises `SetupError`."""
    if venv.exists():
        step.tell("removing the old one")
        _remove(venv)
    venv.mkdir()
    ledger = Ledger(venv)
    ledger.begin(STEP)
    run([sys.executable, "-m", "venv", *([] if WINDOWS else ["--symlinks"]), str(venv)], step, held)
    ledger.finish(STEP, "")
    return ledger


def _remove(venv: Path) -> None:
    try:
        venv.unlink() if venv.is_symlink() or venv.is_file() else shutil.rmtree(venv)
    except OSError as error:
        raise SetupError(
            f"The broken environment {venv} can't be removed ({error}). Close every program that uses it, "
            "delete that folder, and run the same command again."
        ) from error


def _pip_answers(venv: Path) -> bool:
    try:
        answer = subprocess.run([str(venv_python(venv)), "-m", "pip", "--version"], capture_output=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return False
    return answer.returncode == 0
