"""Finds the browser that the tests drive, and installs Debian's where that can be done."""

from __future__ import annotations

import os
import shutil
import subprocess

NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str | None:
    """The path of a Chromium, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def ensure_chromium() -> None:
    """Install Debian's chromium where there is none and this user may; otherwise say what to do."""
    if chromium():
        return
    root = getattr(os, "geteuid", lambda: 1)() == 0
    if root and shutil.which("apt-get"):
        print("Installing Debian's chromium for the browser tests.", flush=True)
        for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "chromium"]):
            subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
    if not chromium():
        print("No Chromium was found: the browser tests need one. On Debian: sudo apt-get install chromium", flush=True)
