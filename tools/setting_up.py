"""The set-up itself: a list of steps, each skipped when it was done before with the same inputs."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools import environment, torch_source
from tools.ledger import Ledger, fingerprint
from tools.lock import only_one
from tools.pipping import clear_half_installed, pip_install, run
from tools.places import ROOT, STATE, VENV, site_packages, venv_python
from tools.progress import Step
from tools.trouble import SetupError

REQUIREMENTS, DEV, LOCK = (ROOT / name for name in ("requirements.txt", "requirements-dev.txt", "requirements.lock"))
CLUSTER = ROOT / "requirements-cluster.txt"
STARTERS = ROOT / "requirements-starter.txt"
# What the environment takes, with pip's own temporary files, in GB (measured: 1.8 with a CPU torch).
ROOM_CPU, ROOM_CUDA = 3.0, 10.0


@dataclass(frozen=True)
class Task:
    """A step: what it is called, what it is made from, and what does it."""

    name: str
    title: str
    fingerprint: str
    do: Callable[[Step, int | None], None]
    covered_by: str = ""  # another fingerprint that serves as well


def ensure(dev: bool = False) -> Path:
    """The environment's interpreter, after whatever set-up was still to do. Raises `SetupError`.

    Where all is done, nothing is started and no network is used.
    """
    ledger = Ledger(VENV)
    if _broken_or_open(ledger, dev):
        with only_one(STATE / "setup.lock") as held:
            _set_up(Ledger(VENV), dev, held)
    return venv_python()


def add_ray() -> None:
    """Install what a cluster takes beside, unless it is there. Raises `SetupError`."""
    if not _lost(_pinned_in(CLUSTER)):
        return
    with only_one(STATE / "setup.lock") as held, Step(1, 1, "Ray (79 MB)") as step:
        pip_install(VENV, ["-c", str(LOCK), "-r", str(CLUSTER)], step, held)


def _broken_or_open(ledger: Ledger, dev: bool) -> bool:
    return bool(environment.why_broken(VENV, ledger) or _open(ledger, dev) or _missing(dev))


def _open(ledger: Ledger, dev: bool) -> list[Task]:
    return [
        task
        for task in _tasks(dev)
        if not any(ledger.is_done(task.name, mark) for mark in (task.fingerprint, task.covered_by) if mark)
    ]


def _set_up(ledger: Ledger, dev: bool, held: int | None) -> None:
    broken = environment.why_broken(VENV, ledger)
    lost = [] if broken else _missing(dev)
    todo = _tasks(dev) if broken or lost else _open(ledger, dev)
    if not broken and not todo:
        return  # another set-up did it while this one waited
    print(_opening(broken, lost, bool(ledger.begun)), flush=True)
    _check_room(bool(broken))
    total = len(todo) + bool(broken)
    if broken:
        with Step(1, total, "Python environment") as step:
            ledger = environment.make(VENV, step, held)
        todo = _tasks(dev)  # anew: their fingerprints hold the environment's Python
    elif ledger.begun or not ledger.exists:
        clear_half_installed(VENV)
    for number, task in enumerate(todo, total - len(todo) + 1):
        with Step(number, total, task.title) as step:
            ledger.begin(task.name)
            task.do(step, held)
            ledger.finish(task.name, task.fingerprint)


def _opening(broken: str | None, lost: list[str], interrupted: bool) -> str:
    if broken and VENV.exists():
        return f"The environment .venv is made anew: {broken}."
    if broken:
        return "Setting up. This happens once, and takes a few minutes."
    if lost and not interrupted:
        return f"Packages are missing from .venv ({', '.join(lost[:4])}); installing them."
    return "Going on with the set-up that was interrupted." if interrupted else "Bringing .venv up to date."


def _tasks(dev: bool) -> list[Task]:
    pin = torch_source.pinned(REQUIREMENTS)
    packages = fingerprint(REQUIREMENTS, LOCK, environment.version(VENV))
    developer = fingerprint(DEV, packages)
    tasks = [
        Task("torch", "torch", fingerprint(pin, environment.version(VENV)), _install_torch),
        Task("packages", "packages", packages, _installer("-r", str(REQUIREMENTS))),
        Task("starter", "starter models (165 MB)", fingerprint(STARTERS), _installer("--no-deps", "-r", str(STARTERS))),
    ]
    if dev:
        tasks.append(Task("developer", "test tools", developer, _installer("-r", str(DEV))))
    compiled = Task("bytecode", "compiling", developer if dev else packages, _compile, covered_by=developer)
    return [*tasks, compiled]


def _installer(*what: str) -> Callable[[Step, int | None], None]:
    def install(step: Step, held: int | None) -> None:
        pip_install(VENV, ["-c", str(LOCK), *what], step, held)

    return install


def _install_torch(step: Step, held: int | None) -> None:
    pin = torch_source.pinned(REQUIREMENTS)
    if torch_source.is_installed(pin, VENV):
        return
    step.tell("looking for a build without CUDA" if torch_source.wants_cpu_build() else "the usual build")
    arguments, why = torch_source.arguments(pin)
    step.tell(why)
    pip_install(VENV, arguments if "--no-deps" in arguments else ["-c", str(LOCK), *arguments], step, held)


def _compile(step: Step, held: int | None) -> None:
    """Bytecode by several processes: pip's own is single, and uncompiled the first page takes three times as long."""
    step.tell("once, so that every start is quick")
    folder = site_packages(VENV)
    # Packages' own tests and templates are never imported here, and some are not even valid Python.
    skip = r"[/\\](tests?|templates?)[/\\]"
    command = [str(venv_python()), "-m", "compileall", "-q", "-q", "-j", "0", "-x", skip, str(folder)]
    _ignoring_failures(command, step, held)
    _ignoring_failures([*command[:-1], *(str(ROOT / name) for name in ("shared", "spaces"))], step, held)


def _ignoring_failures(command: list[str], step: Step, held: int | None) -> None:
    """A file that doesn't compile is no reason to stop: it may be meant for another Python."""
    try:
        run(command, step, held)
    except SetupError:
        if not venv_python().exists():
            raise


def _missing(dev: bool) -> list[str]:
    """Pinned packages that the environment has lost since set-up; one look at the folder."""
    return _lost(_pinned_in(REQUIREMENTS, STARTERS, *([DEV] if dev else [])))


def _lost(pins: list[str]) -> list[str]:
    folder = site_packages(VENV)
    if folder is None:
        return []
    present = {info.name.rpartition(".dist-info")[0].partition("+")[0] for info in folder.glob("*.dist-info")}
    have = {_plain(name) for name in present}
    return [pin for pin in pins if _plain(pin.replace("==", "-")) not in have]


def _pinned_in(*files: Path) -> list[str]:
    lines = (line.partition("#")[0].strip() for file in files for line in file.read_text("utf-8").splitlines())
    return [re.sub(r"\[.*?\]", "", line) for line in lines if "==" in line and ";" not in line]


def _plain(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def _check_room(new: bool) -> None:
    needed = (ROOM_CPU if torch_source.wants_cpu_build() else ROOM_CUDA) if new else 0.3
    problem = room_problem(shutil.disk_usage(ROOT).free / 1e9, needed)
    if problem and not os.environ.get("PLAYGROUND_SKIP_DISK_CHECK"):
        raise SetupError(problem)


def room_problem(free_gb: float, needed_gb: float) -> str | None:
    """What to tell a person whose disk is too full, or None."""
    if free_gb >= needed_gb:
        return None
    return (
        f"There is too little room on the disk: set-up needs about {needed_gb:.1f} GB and {free_gb:.1f} GB is free at "
        f"{ROOT}. Free some, or move this folder to a larger disk. Then run the same command again."
    )


def unfinished(dev: bool = False) -> list[str]:
    """What is still to be done in a usable environment: names of steps, and of packages that were lost."""
    return [task.name for task in _open(Ledger(VENV), dev)] + _missing(dev)
