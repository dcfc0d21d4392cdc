"""Finds the browser that the tests drive, and on Debian as root installs it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tools.pipping import run
from tools.progress import Step
from tools.trouble import SetupError

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
_PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
HOW_TO_INSTALL = (
    "sudo apt-get install chromium (Debian, Ubuntu), or install Chrome, or set PLAYGROUND_CHROMIUM to a Chromium's path"
)


def find() -> str | None:
    """The path of a Chromium-like browser, or None. `PLAYGROUND_CHROMIUM` goes first."""
    named = os.environ.get("PLAYGROUND_CHROMIUM")
    if named:
        return named if Path(named).is_file() else None
    found = next((path for path in map(shutil.which, _NAMES) if path), None)
    return found or next((place for place in _PLACES if Path(place).is_file()), None)


def ensure() -> str | None:
    """The browser, after installing it where that needs no question: on Debian, as root. None: there is none."""
    if find() or os.environ.get("PLAYGROUND_CHROMIUM") or not _may_install():
        return find()
    print("Browser for the tests:", flush=True)
    with Step(1, 2, "package lists") as step:
        _apt(["apt-get", "update"], step)
    with Step(2, 2, "chromium") as step:
        _apt(["apt-get", "install", "--yes", "--no-install-recommends", "chromium"], step)
    return find()


def _apt(command: list[str], step: Step) -> None:
    """Run apt without questions; a failure is told by the caller, who finds no browser."""
    try:
        run(["env", "DEBIAN_FRONTEND=noninteractive", *command], step)
    except SetupError as error:
        print(f"\n{error}", flush=True)


def _may_install() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get") is not None


def version(path: str) -> str | None:
    """What the browser says it is, or None where it doesn't start."""
    try:
        answer = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None
