"""A Space in a notebook, of Jupyter, Colab or Kaggle: what it needs is installed by `install`, and `launch` shows it.

from shared.notebook import install, launch
install("chat")
launch("chat")
"""

from __future__ import annotations

import runpy
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from shared.settings import from_environment
from shared.surroundings import on_kaggle, open_to_others

ROOT = Path(__file__).resolve().parents[1]
_shown: dict[str, Any] = {}  # what is served now, by the Space's name


def launch(space: str = "chat", *, share: bool | None = None, height: int = 900) -> str:
    """Start the Space and show it below the cell; returns its address. One that was started before is ended.

    `share`: give it a link that anybody who has it can open, for three days at most; by default only on Kaggle, where
    a notebook reaches no port of its machine. A Jupyter server on another machine needs it too. `height` in pixels.
    Raises `ValueError` for an unknown Space.
    """
    app = _app(space)
    linked = on_kaggle() if share is None else share
    if linked:
        open_to_others()
    from shared.ui.serve import begin

    if before := _shown.pop(space, None):
        before.close(verbose=False)
    demo = _shown[space] = runpy.run_path(str(app))["demo"]
    host, port = begin(demo, from_environment(), share=linked, height=height)
    url = str(demo.share_url or f"http://{host}:{port}")
    print(f"{demo.title} is at {url}")
    return url


def install(space: str = "chat") -> None:
    """Install what the Space needs beside what is here; a torch that is here stays, since it fits the machine's GPU.

    Raises `ValueError` for an unknown Space, and `subprocess.CalledProcessError` where pip fails, which says why.
    """
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *needs(space)], check=True)
    starters = ROOT / "requirements-starter.txt"
    subprocess.run([*pip, "--no-deps", "-r", str(starters)], check=True)


def needs(space: str) -> list[str]:
    """What pip is told to install for the Space, Gradio included, which a Hugging Face Space has anyway."""
    own = (_app(space).parent / "requirements.txt").read_text("utf-8").splitlines()
    brought = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    lines = [line for line in brought if line.startswith(("gradio[", "spaces=="))]
    lines += [line for line in own if line and not line.startswith("#")]
    if find_spec("torch") or shutil.which("nvidia-smi"):
        lines = [
            line for line in lines if not line.startswith("--extra-index-url")
        ]  # its CPU builds would be preferred
    if find_spec("torch"):
        lines = [line for line in lines if not line.startswith("torch==")]
    return [word for line in lines for word in line.split()]


def _app(space: str) -> Path:
    apps = {app.parent.name: app for app in sorted(ROOT.glob("spaces/*/app.py"))}
    if space not in apps:
        raise ValueError(f"There is no Space called {space!r}. There are: {', '.join(apps)}.")
    return apps[space]
