"""What `python3 run.py` understands, and what each word does."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tools import setting_up
from tools.checks import check_all
from tools.doctor import examine
from tools.places import ROOT, WINDOWS, spaces, venv_python
from tools.trouble import SetupError

EPILOG = """\
With no word it opens the hub with every Space. A Space's name runs that Space alone.
  test [pytest's own arguments]   sets up and passes the checks and the tests; with arguments, pytest alone
  bench                           measures this machine
  doctor                          says what this machine can run, what is missing, and what mends it
  setup                           sets up, and starts nothing
  bundle SPACE [FOLDER]           copies one Space, or all as one (hub), into a folder that runs alone, as on the Hub
  deploy SPACE --to USER/NAME     puts it on Hugging Face; --dry-run says what would be done, --help the rest
  serve [--cluster FILE]          opens the hub with its models on a Ray cluster: FILE's, or one on this machine
"""
_TAKES_MORE = ("test", "bench", "bundle", "deploy")


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a console without Unicode must not end the set-up
    if arguments and arguments[0] in _TAKES_MORE:  # all that follows is for whom it calls, --help too
        options, rest = argparse.Namespace(command=arguments[0]), list(arguments[1:])
    else:
        options, rest = _parser().parse_known_args(arguments)
    if rest and options.command not in _TAKES_MORE:
        _parser().error(f"unknown arguments: {' '.join(rest)}")
    try:
        return _commands()[options.command](options, rest)
    except SetupError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on from here.")
        return 130


def _commands() -> dict[str, Callable[[argparse.Namespace, list[str]], int]]:
    run_space = {name: _space for name in spaces()}
    own = {"hub": _hub, "test": _test, "bench": _bench, "doctor": _doctor, "setup": _setup, "bundle": _bundle}
    own["deploy"] = _deploy
    own["serve"] = _serve
    return {**own, **run_space}


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
    parser.add_argument("--cluster", help="for serve: a TOML file that describes the cluster (docs/cluster.md)")
    parser.add_argument("--no-browser", action="store_true", help="don't open a browser")
    parser.add_argument("--class", dest="classroom", action="store_true", help="make it a class: docs/class.md")
    return parser


def _environment(options: argparse.Namespace) -> dict[str, str]:
    given = {"PLAYGROUND_HOST": options.host, "PLAYGROUND_PORT": options.port}
    if options.classroom:  # others must reach it; its gate lets in who has the code
        given["PLAYGROUND_CLASS"] = "1"
        given["PLAYGROUND_HOST"] = options.host or os.environ.get("PLAYGROUND_HOST") or "0.0.0.0"
    given["PLAYGROUND_OPEN_BROWSER"] = "0" if options.no_browser or os.environ.get("CI") else "1"
    return {**os.environ, **{name: str(value) for name, value in given.items() if value is not None}}


def _python(arguments: Sequence[str], environment: dict[str, str] | None = None) -> int:
    """Become the environment's Python, so that ending `run.py` ends the server. Windows can't: there it is a child,
    which Ctrl-C reaches by itself, so that this only waits."""
    command, env = [str(venv_python()), *arguments], environment or dict(os.environ)
    if not WINDOWS:
        sys.stdout.flush()
        os.chdir(ROOT)
        os.execve(command[0], command, env)
    with subprocess.Popen(command, cwd=ROOT, env=env) as child:
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:
                continue


def _hub(options: argparse.Namespace, _: list[str]) -> int:
    setting_up.ensure()
    return _python(["-m", "shared.ui.hub"], _environment(options))


def _serve(options: argparse.Namespace, _: list[str]) -> int:
    setting_up.ensure()
    setting_up.add_ray()
    file = {"PLAYGROUND_CLUSTER": str(Path(options.cluster).absolute())} if options.cluster else {}
    return _python(["-m", "shared.ui.hub"], {**_environment(options), **file, "PLAYGROUND_POOL": "ray"})


def _space(options: argparse.Namespace, _: list[str]) -> int:
    setting_up.ensure()
    return _python([str(spaces()[options.command])], _environment(options))


def _doctor(options: argparse.Namespace, _: list[str]) -> int:
    return examine(_environment(options))


def _setup(_: argparse.Namespace, __: list[str]) -> int:
    print(f"Ready: {setting_up.ensure()}")
    return 0


def _bundle(_: argparse.Namespace, rest: list[str]) -> int:
    setting_up.ensure()
    # The folder is meant from where the person stands; the child runs in the project's folder.
    return _python(["-m", "tools.bundle_inside", "--cwd", os.getcwd(), *rest])


def _deploy(_: argparse.Namespace, rest: list[str]) -> int:
    setting_up.ensure()
    return _python(["-m", "tools.deploy_inside", *rest])


def _bench(_: argparse.Namespace, rest: list[str]) -> int:
    setting_up.ensure(dev=True)
    return _python([str(ROOT / "benchmarks" / "run.py"), *rest])


def _test(_: argparse.Namespace, rest: list[str]) -> int:
    return check_all(setting_up.ensure(dev=True), rest)
