"""What `python3 run.py` understands, and what each word does."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Sequence

from tools import setting_up
from tools.browser import ensure_chromium
from tools.places import ROOT, spaces, venv_python
from tools.trouble import SetupError

EPILOG = """\
With no word it opens the hub with every Space. A Space's name runs that Space alone.
  test [pytest's own arguments]   sets up and passes the checks and the tests
  doctor                          says what this machine can run, and what is missing
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns the exit status."""
    options, rest = _parser().parse_known_args(arguments)
    if rest and options.command != "test":
        _parser().error(f"unknown arguments: {' '.join(rest)}")
    try:
        return _commands()[options.command](options, rest)
    except SetupError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.")
        return 130


def _commands() -> dict[str, Callable[[argparse.Namespace, list[str]], int]]:
    run_space = {name: _space for name in spaces()}
    return {"hub": _hub, "test": _test, "doctor": _doctor, **run_space}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="run.py",
        description="Generative-AI playgrounds.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", nargs="?", default="hub", choices=sorted(_commands()))
    parser.add_argument("--host", help="address to listen on (loopback unless told otherwise)")
    parser.add_argument("--port", type=int, help="port to begin looking from (7860)")
    parser.add_argument("--no-browser", action="store_true", help="don't open a browser")
    return parser


def _environment(options: argparse.Namespace) -> dict[str, str]:
    given = {"PLAYGROUND_HOST": options.host, "PLAYGROUND_PORT": options.port}
    given["PLAYGROUND_BROWSER"] = "0" if options.no_browser or os.environ.get("CI") else "1"
    return {**os.environ, **{name: str(value) for name, value in given.items() if value is not None}}


def _python(arguments: Sequence[str], environment: dict[str, str] | None = None) -> int:
    """Run the environment's Python to its end; Ctrl-C reaches the child by itself, so this only waits."""
    with subprocess.Popen([str(venv_python()), *arguments], cwd=ROOT, env=environment) as child:
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:
                continue


def _hub(options: argparse.Namespace, _: list[str]) -> int:
    setting_up.ensure()
    return _python(["-m", "shared.ui.hub"], _environment(options))


def _space(options: argparse.Namespace, _: list[str]) -> int:
    setting_up.ensure()
    return _python([str(spaces()[options.command])], _environment(options))


def _doctor(options: argparse.Namespace, _: list[str]) -> int:
    setting_up.ensure()
    return _python(["-m", "shared.doctor"], _environment(options))


def _test(_: argparse.Namespace, rest: list[str]) -> int:
    setting_up.ensure(dev=True)
    ensure_chromium()
    checks = [
        ["-m", "ruff", "check", "."],
        ["-m", "ruff", "format", "--check", "."],
        ["-m", "mypy"],
        ["-m", "pytest", *rest],
    ]
    for check in checks[3:] if rest else checks:
        print(f"\n== {' '.join(check[1:])}", flush=True)
        if status := _python(check):
            return status
    return 0
