"""`run.py test`: style, types, then the tests."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from tools import browser
from tools.places import ROOT

# Seconds for one test, after which it is ended with a trace of where it hung.
TEST_LIMIT = 300
# So many tests at most are given a second try. Where more failed, it was no accident.
FEW = 5
_SOME_FAILED = 1  # pytest's exit status; a crash or a wrong argument has another
_LINTS = {
    "style (ruff)": ["ruff", "check", "."],
    "format (ruff)": ["ruff", "format", "--check", "."],
    "types (mypy)": ["mypy"],
}


def check_all(python: Path, arguments: Sequence[str]) -> int:
    """Run everything, or pytest alone where it is given arguments. The exit status says whether all passed."""
    path = browser.ensure()
    if path is None and os.environ.get("CI"):
        print(f"The browser tests must run here, and there is no browser. Install one: {browser.HOW_TO_INSTALL}.")
        return 1
    if path is None:
        print(f"No browser: the browser tests are skipped. To run them: {browser.HOW_TO_INSTALL}.")
    failed = [] if arguments else [name for name, command in _LINTS.items() if not _passes(python, name, command)]
    status = _run(python, ["pytest", f"--timeout={TEST_LIMIT}", *(arguments or ["--durations=10"])])
    if status == _SOME_FAILED and not arguments:
        status = _again(python)
    if failed:
        print(f"Also failed, see above: {', '.join(failed)}")
    return status or int(bool(failed))


def _again(python: Path) -> int:
    """Run the tests that failed once more, alone in a new process, and name those that pass only then."""
    record = ROOT / ".pytest_cache" / "v" / "cache" / "lastfailed"
    try:
        names = sorted(json.loads(record.read_text()))
    except (OSError, ValueError):
        return _SOME_FAILED
    if not 0 < len(names) <= FEW:
        return _SOME_FAILED
    print(f"\n== {len(names)} failed and get one more try, alone", flush=True)
    status = _run(python, ["pytest", f"--timeout={TEST_LIMIT}", "--last-failed"])
    if status == 0:
        print("Passed only when run again, which is a defect of the test or of the code:", *names, sep="\n  ")
    return status


def _passes(python: Path, name: str, command: list[str]) -> bool:
    started = time.monotonic()
    print(f"== {name}", flush=True)
    passed = _run(python, command) == 0
    print(f"== {name}: {'passed' if passed else 'FAILED'} in {time.monotonic() - started:.0f} s\n", flush=True)
    return passed


def _run(python: Path, command: Sequence[str]) -> int:
    env = os.environ | {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1"}
    return subprocess.call([str(python), "-m", *command], cwd=ROOT, env=env)
