"""Bundles a Space and puts it on the Hugging Face Hub.

Run in the environment: `python -m tools.deploy_inside NAME --to USER/NAME`. See `--help`.
"""

from __future__ import annotations

import argparse
import os
import re
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from shared.errors import BackendError
from shared.settings import KEY_VARIABLES
from tools.bundle_inside import bundle, known_as, left_out, size_mb
from tools.deploying import Deployment, State, deploy, hardware_of, wait
from tools.hub_errors import NO_TOKEN, DeployError, explained
from tools.large_files import large_files

if TYPE_CHECKING:
    from huggingface_hub import HfApi

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_REPO = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line, do it, and say what became of it; the exit status says whether it runs."""
    options = _parser().parse_args(arguments)
    try:
        secrets, variables = _secrets(options.secret), _variables(options.variable)
        if not _REPO.fullmatch(options.to):
            raise DeployError(f"--to must be USER/NAME, for example ada/playground; it is {options.to!r}.")
        known_as(options.name)
        api = None if options.dry_run else _api(options.to)
        fit = options.hardware or (hardware_of(api, options.to) if api else None)
        with tempfile.TemporaryDirectory(prefix="deploy-") as place:
            folder = bundle(options.name, Path(place) / options.name, fit)
            for reason in left_out(folder):
                print(f"Left out: {reason}")
            wanted = Deployment(
                to=options.to,
                folder=folder,
                hardware=options.hardware,
                private=options.private,
                secrets=secrets,
                variables=variables,
            )
            return _do(api, wanted, options) if api else _tell(wanted)
    except (DeployError, ValueError, BackendError) as error:
        print(error)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="run.py deploy", description="Put a Space on the Hugging Face Hub.")
    parser.add_argument("name", help="the Space, for example chat; hub puts all of them into one")
    parser.add_argument("--to", required=True, metavar="USER/NAME", help="what it is called there")
    parser.add_argument("--hardware", help="for example zero-a10g, cpu-upgrade or l4x1 (default: as it is)")
    parser.add_argument("--private", action="store_true", help="only its owner sees it")
    parser.add_argument(
        "--secret",
        action="append",
        default=[],
        metavar="NAME",
        help="set this secret; its value is read from the environment variable of that name",
    )
    parser.add_argument(
        "--variable",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="set this variable, which everybody can read",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="only say what would be done; asks nothing of the network"
    )
    parser.add_argument("--no-wait", action="store_true", help="don't wait until it runs")
    parser.add_argument("--timeout", type=float, default=1800, help="seconds to wait at most (1800)")
    parser.add_argument("--poll", type=float, default=5, help=argparse.SUPPRESS)
    return parser


def _secrets(names: Sequence[str]) -> dict[str, str]:
    """Their values from the environment. Raises `DeployError`, which shows no value."""
    if any("=" in name for name in names):
        raise DeployError(
            "A secret's value doesn't go on the command line: set a variable of its name, and give the name."
        )
    missing = [name for name in names if not os.environ.get(name)]
    if missing:
        raise DeployError(f"No value for the secret {', '.join(missing)}: set the environment variable of that name.")
    return {name: os.environ[name] for name in names}


def _variables(texts: Sequence[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    for name, equals, _ in pairs:
        if not equals or not _NAME.fullmatch(name):
            raise DeployError(f"--variable takes NAME=VALUE; it is {name!r}.")
        if name in KEY_VARIABLES:
            raise DeployError(f"Everybody can read a variable: give {name} by --secret {name}.")
    return {name: value for name, _, value in pairs}


def _tell(wanted: Deployment) -> int:
    """What would be done, without asking anybody."""
    files, large = wanted.files(), large_files(wanted.folder)
    print(f"Would make {wanted.to} or bring it up to date{', privately' if wanted.private else ''}:")
    print(f"  hardware: {wanted.hardware or 'as it is'}")
    print(f"  secrets: {', '.join(wanted.secrets) or 'none'}")
    print(f"  variables: {', '.join(f'{n}={v}' for n, v in wanted.variables.items()) or 'none'}")
    print(f"  files: {len(files)}, {size_mb(wanted.folder):.1f} MB; {len(large)} of them by LFS:")
    for path in large:
        print(f"    {(wanted.folder / path).stat().st_size / 1e6:8.1f} MB  {path.as_posix()}")
    print("Nothing was sent.")
    return 0


def _api(to: str) -> HfApi:
    """The Hub's client with a token. Raises `DeployError` where there is none."""
    from huggingface_hub import HfApi, get_token

    with explained(to):  # a trusted publisher's token is asked for here
        if not get_token():
            raise DeployError(NO_TOKEN)
    return HfApi()


def _do(api: HfApi, wanted: Deployment, options: argparse.Namespace) -> int:
    def say(words: str) -> None:
        print(wanted.without_secrets(words), flush=True)

    try:
        commit = deploy(api, wanted, say)
        page = f"{api.endpoint}/spaces/{wanted.to}"
        if options.no_wait:
            say(f"Sent. It starts at {page}")
            return 0
        return _ended(wait(api, wanted, commit, say, seconds=options.timeout, poll=options.poll), page, say)
    except DeployError as error:
        raise DeployError(wanted.without_secrets(str(error))) from None


def _ended(state: State, page: str, say: Callable[[str], None]) -> int:
    if state.runs:
        say(f"It runs{f' on {state.hardware}' if state.hardware else ''}: {page}")
        return 0
    say(f"It doesn't run: {state.stage.lower().replace('_', ' ')}. See {page}\n{state.why}")
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
