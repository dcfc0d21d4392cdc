"""Runs pip and other long commands: their output is condensed to one changing line, and kept whole in a log."""

from __future__ import annotations

import os
import queue
import re
import shutil
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

from tools.places import STATE, site_packages, venv_python
from tools.progress import Step
from tools.trouble import explain

LOG = STATE / "setup.log"
# Two retries: with no network pip then gives up in seconds, and says so.
_QUIET = ["--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
PIP = ["-m", "pip", "install", "--no-compile", "--retries", "2", *_QUIET]
_KEEP_TAIL = 20_000  # characters of output looked through for the cause of a failure
_HEADLINES = [
    (re.compile(r"^Collecting (\S+)"), "looking up {}"),
    (re.compile(r"^\s+Downloading (\S+?)(?:-cp\d|-py\d|\.tar|\.whl).*?(\([\d.]+ \wB\))?$"), "downloading {} {}"),
    (re.compile(r"Retrying \("), "the package index doesn't answer; trying again"),
    (re.compile(r"^Installing collected packages: (.*)$"), "unpacking"),
]


def pip_install(venv: Path, arguments: Sequence[str], step: Step, held: int | None) -> None:
    """Run `pip install` in the environment. Raises `SetupError` with the cause in words."""
    run([str(venv_python(venv)), *PIP, *arguments], step, held)


def run(command: Sequence[str], step: Step, held: int | None = None) -> None:
    """Run the command, telling the step what it is at. `held` is a lock's file descriptor that the child keeps."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with LOG.open("a", encoding="utf-8") as log:
        log.write(f"\n$ {' '.join(command)}\n")
        child = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            errors="replace",
            env=_environment(),
            pass_fds=() if held is None else (held,),
        )
        try:
            output = _follow(child, step, log.write)
        except BaseException:
            child.terminate()
            child.wait()
            raise
    if child.wait():
        raise explain(" ".join(command[1:4]), output, str(LOG))


def _follow(child: subprocess.Popen[str], step: Step, write: object) -> str:
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    assert child.stdout is not None and callable(write)
    stream = child.stdout

    def read() -> None:
        for line in stream:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    tail, headline = "", "starting"
    while True:
        try:
            line = lines.get(timeout=0.5)
        except queue.Empty:
            step.tell(headline)
            continue
        if line is None:
            return tail
        write(line)
        tail = (tail + line)[-_KEEP_TAIL:]
        headline = condense(line) or headline
        step.tell(headline)


def condense(line: str) -> str | None:
    """A few words for a line of pip's output, or None where it says nothing to a person."""
    for pattern, words in _HEADLINES:
        if found := pattern.search(line):
            return words.format(*(group or "" for group in found.groups())).strip()
    return None


def _environment() -> dict[str, str]:
    """The person's own, without what would lead pip out of the environment."""
    env = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONHOME", "PIP_TARGET"}}
    return env | {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0", "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}


def clear_half_installed(venv: Path) -> list[str]:
    """Remove the marks of packages that a killed pip left half unpacked, so that pip does them anew.

    pip writes a package's RECORD last; without it pip still counts the package as installed.
    """
    folder = site_packages(venv)
    if folder is None:
        return []
    halves = [info for info in folder.glob("*.dist-info") if not (info / "RECORD").is_file()]
    halves += folder.glob("~*")  # what pip had moved aside
    for half in halves:
        shutil.rmtree(half, ignore_errors=True)
    return [half.name for half in halves]
