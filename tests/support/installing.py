"""Environments as Hugging Face's platform makes them for a Space, by a real installer from the real package index.

What is installed, and in which order, is what the platform's build logs say. uv does it from wherever pip is told to
install from, and makes hard links to its cache: after the first download an environment takes seconds and no room.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from tools.hardware import CPU_INDEX
from tools.torch_source import answers

# The platform's image has these, before it looks at the Space's own.
BEFORE = ("datasets", "huggingface-hub>=0.30", "hf-transfer>=0.1.4", "protobuf<4", "click<8.1")
# And it asks for these in the same breath as for the Space's own, beside gradio.
BESIDE = ("uvicorn>=0.14.0", "websockets>=10.4", "spaces")
# pip's settings as uv's: the variable, and what stands between several values.
_AS_UVS = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "constraint": ("UV_CONSTRAINT", " "),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "no-index": ("UV_NO_INDEX", " "),
    "cert": ("SSL_CERT_FILE", ""),
    "proxy": ("ALL_PROXY", ""),
}


def install_as_the_platform(venv: Path, requirements: Path, gradio: str) -> Path:
    """Make `venv` anew with what a Space with those requirements and that version of Gradio gets; its interpreter.

    PLAYGROUND_TEST_PYTHON may name another Python than the one that runs the tests. Raises `RuntimeError` with the
    installer's words.
    """
    # `_base_executable`: the Python that the environment of this test was made from.
    python = os.environ.get("PLAYGROUND_TEST_PYTHON") or getattr(sys, "_base_executable", sys.executable)
    _uv("venv", "--quiet", "--clear", "--python", python, str(venv))
    into = ("pip", "install", "--quiet", "--python", str(venv))
    _uv(*into, *BEFORE)
    wanted = venv / "requirements.txt"
    wanted.write_text(_without_what_is_out_of_reach(requirements.read_text("utf-8")), "utf-8")
    _uv(*into, "-r", str(wanted), f"gradio[oauth,mcp]=={gradio}", *BESIDE)
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _without_what_is_out_of_reach(text: str) -> str:
    """pip passes over an index that doesn't answer; uv would stop there."""
    if CPU_INDEX not in text or answers(f"{CPU_INDEX}/torch/"):
        return text
    return "".join(f"{line}\n" for line in text.splitlines() if CPU_INDEX not in line)


def _uv(*arguments: str) -> None:
    # All indexes are looked through for the best version, as pip does: torch's CPU build lies in one of its own.
    env = {**os.environ, **from_pip(), "UV_INDEX_STRATEGY": "unsafe-best-match", "UV_PYTHON_DOWNLOADS": "never"}
    env.pop("VIRTUAL_ENV", None)
    done = subprocess.run([_executable(), "--no-config", *arguments], env=env, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(
            f"uv {arguments[0]} could not make a Space's environment:\n{done.stderr.strip()[-3000:]}\n"
            "Where the package index can't be reached, PLAYGROUND_TEST_BUNDLES=linked takes what is installed here."
        )


def _executable() -> str:
    beside = Path(sysconfig.get_path("scripts")) / ("uv.exe" if os.name == "nt" else "uv")
    found = str(beside) if beside.is_file() else shutil.which("uv")
    if not found:
        raise RuntimeError("There is no uv here: pip install -r requirements-dev.txt")
    return found


def from_pip() -> Mapping[str, str]:
    """What pip is told here, by files or variables, as uv's variables."""
    done = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True)
    return translated(done.stdout)


def translated(listed: str) -> dict[str, str]:
    """uv's variables for what `pip config list` says. What is for one command goes before what is for all, and
    variables before both, as with pip."""
    told: dict[str, tuple[int, str]] = {}
    for line in listed.splitlines():
        name, _, value = line.partition("=")
        section, _, key = name.rpartition(".")
        rank = {"global": 1, "install": 2, ":env:": 3}.get(section, 0)
        if rank > told.get(key, (0, ""))[0]:
            told[key] = rank, str(ast.literal_eval(value))
    found = {key: value.split() for key, (_, value) in told.items() if key in _AS_UVS}
    return {name: between.join(found[key]) for key, (name, between) in _AS_UVS.items() if found.get(key)}
