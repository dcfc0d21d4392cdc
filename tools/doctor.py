"""`run.py doctor`: what is wrong with the set-up itself, told by any Python; the rest is told from inside."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

from tools import browser, environment
from tools.ledger import Ledger
from tools.places import ROOT, VENV, venv_python
from tools.setting_up import unfinished
from tools.torch_source import answers

MEND = "python3 run.py setup"


def examine(env: Mapping[str, str]) -> int:
    """Print the report. The exit status is 0 where the starter model can answer here."""
    print(f"Python     {sys.version.split()[0]} starts run.py")
    broken = environment.why_broken(VENV, Ledger(VENV))
    if broken:
        print(f"Set-up     .venv can't be used: {broken}. To mend it: {MEND}")
        return 1
    left = unfinished()
    print(f"Set-up     to be done: {', '.join(left)}. To mend it: {MEND}" if left else "Set-up     .venv is whole")
    _browser()
    _hub(env)
    if any(part in left for part in ("torch", "packages")):
        print("Models     can't be looked at before the set-up is done")
        return 1
    return subprocess.call([str(venv_python()), "-m", "shared.doctor"], cwd=ROOT, env=dict(env))


def _hub(env: Mapping[str, str]) -> None:
    """Whether models can be downloaded now; those that are here need no hub."""
    if any(
        env.get(name, "").lower() in {"1", "true", "yes", "on"} for name in ("HF_HUB_OFFLINE", "PLAYGROUND_OFFLINE")
    ):
        print("Hub        not asked: HF_HUB_OFFLINE or PLAYGROUND_OFFLINE is set. To use it, unset them")
        return
    url = env.get("HF_ENDPOINT") or "https://huggingface.co"
    mend = "connect to the network, or set HF_ENDPOINT to a mirror; the starter model needs neither"
    print(f"Hub        {url} {'can be reached' if answers(url) else f'does not answer. To mend it: {mend}'}")


def _browser() -> None:
    path = browser.find()
    started = browser.version(path) if path else None
    if started:
        print(f"Browser    for the tests: {started}")
    else:
        print(f"Browser    none for the tests. To mend it: {browser.HOW_TO_INSTALL}")
