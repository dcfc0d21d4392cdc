"""`run.py test`: style, types, then the tests."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from tools import browser
from tools.places import ROOT

# Seconds for one test, after which it is ended with a trace of where it hung.
TEST_LIMIT = 300
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
    if failed:
        print(f"Also failed, see above: {', '.join(failed)}")
    return status or int(bool(failed))


def _passes(python: Path, name: str, command: list[str]) -> bool:
    started = time.monotonic()
    print(f"== {name}", flush=True)
    passed = _run(python, command) == 0
    print(f"== {name}: {'passed' if passed else 'FAILED'} in {time.monotonic() - started:.0f} s\n", flush=True)
    return passed


def _run(python: Path, command: Sequence[str]) -> int:
    env = os.environ | {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1"}
    return subprocess.call([str(python), "-m", *command], cwd=ROOT, env=env)
