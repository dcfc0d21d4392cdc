"""Chooses where torch comes from: a machine without an NVIDIA GPU doesn't fetch 3 GB of CUDA libraries."""

from __future__ import annotations

import os
import platform
import re
import shutil
import threading
import urllib.request
from pathlib import Path

from tools.places import site_packages

CPU_INDEX = "https://download.pytorch.org/whl/cpu"
PATIENCE = 4.0  # seconds: a network that swallows the question must not hold up set-up


def pinned(requirements: Path) -> str:
    """The line `torch==…` of the requirements file."""
    found = re.search(r"^torch==\S+", requirements.read_text(encoding="utf-8"), re.MULTILINE)
    if not found:
        raise ValueError(f"{requirements} pins no torch")
    return found[0]


def is_installed(pin: str, venv: Path) -> bool:
    """Whether the environment has that torch, of whatever build."""
    folder = site_packages(venv)
    return folder is not None and any(folder.glob(f"torch-{pin.partition('==')[2]}*.dist-info/RECORD"))


def wants_cpu_build() -> bool:
    """Whether a CPU build must be asked for: on Linux and Windows the usual wheel may be a CUDA one.

    `PLAYGROUND_TORCH` says so (`cpu`, `cuda`) where the machine that sets up is not the one that runs: in an image.
    """
    if told := os.environ.get("PLAYGROUND_TORCH"):
        return told == "cpu"
    return platform.system() in {"Linux", "Windows"} and not shutil.which("nvidia-smi")


def arguments(pin: str) -> tuple[list[str], str]:
    """What to tell pip, and in words why."""
    if not wants_cpu_build():
        return [pin], "the usual build"
    if os.environ.get("PIP_NO_INDEX") or not answers(f"{CPU_INDEX}/torch/"):
        return [pin], "PyTorch's CPU index can't be reached; taking what pip's own index has"
    # Without its dependencies: the next step brings those, from pip's own index and at the locked versions.
    return ["--no-deps", "--index-url", CPU_INDEX, pin], "the CPU build"


def answers(url: str, patience: float = PATIENCE) -> bool:
    """Whether the address answers within `patience` seconds in all, name look-up included."""
    good = threading.Event()

    def ask() -> None:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=patience):
                good.set()
        except (OSError, ValueError):
            done.set()
            return
        done.set()

    done = threading.Event()
    threading.Thread(target=ask, daemon=True).start()
    done.wait(patience)
    return good.is_set()
