"""`run.py` as a person meets it: an old Python, no network, an interruption, a broken environment, a second start."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.project import copy_project, give_environment, offline, run_py
from tests.support.server import ROOT
from tools import torch_source
from tools.ledger import NAME, Ledger
from tools.lock import only_one
from tools.pipping import clear_half_installed, condense
from tools.setting_up import room_problem
from tools.trouble import explain

posix = pytest.mark.skipif(sys.platform == "win32", reason="the copy's environment is made of links")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return copy_project(tmp_path / "project")


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that is set up, without a network: its packages were all there."""
    project = copy_project(tmp_path_factory.mktemp("ready") / "project")
    give_environment(project)
    answer = run_py(project, "setup")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return project


def test_an_old_python_is_told_what_it_needs() -> None:
    code = "import sys, runpy; sys.version_info = (3, 10, 1); runpy.run_path(sys.argv[1], run_name='__main__')"
    answer = subprocess.run([sys.executable, "-c", code, str(ROOT / "run.py")], capture_output=True, text=True)
    assert answer.returncode == 1
    assert "Python 3.11 or newer" in answer.stderr and "Python 3.10" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("name", ["python2.7", "python3.6", "python3.9", "python3.10"])
def test_really_old_pythons_can_read_the_file(name: str) -> None:
    places = os.pathsep.join([os.environ["PATH"], *map(str, Path.home().glob(".pyenv/versions/*/bin"))])
    python = next(
        (str(p) for place in places.split(os.pathsep) if (p := Path(place, name)).is_file() and "shims" not in place),
        None,
    )
    if python is None or subprocess.run([python, "-c", ""], capture_output=True).returncode:
        pytest.skip(f"there is no {name} here")
    answer = subprocess.run([python, str(ROOT / "run.py")], capture_output=True, text=True)
    assert answer.returncode == 1
    assert "Python 3.11 or newer" in answer.stderr and "Traceback" not in answer.stderr


@posix
def test_a_word_with_arguments_of_its_own_gets_all_of_them(ready: Path) -> None:
    """Also those that `run.py` would take for itself, as `--help`."""
    answer = run_py(ready, "deploy", "chat", "--private", "--help")
    assert answer.returncode == 0, answer.stderr
    assert "usage: run.py deploy" in answer.stdout and "--dry-run" in answer.stdout


@posix
def test_without_a_network_the_first_set_up_says_so(project: Path) -> None:
    env = offline()
    del env["PIP_NO_INDEX"]
    env["PIP_INDEX_URL"] = "http://127.0.0.1:9/simple"
    answer = run_py(project, "setup", env=env)
    assert answer.returncode == 1
    assert "can't be reached" in answer.stderr and "same command again" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert Ledger(project / ".venv").begun == "torch"


@posix
def test_a_second_start_uses_no_network_and_does_nothing(ready: Path) -> None:
    before = (ready / ".venv" / NAME).stat().st_mtime_ns
    answer = run_py(ready, "setup")
    assert answer.returncode == 0
    assert answer.stdout.startswith("Ready") and len(answer.stdout.splitlines()) == 1
    assert (ready / ".venv" / NAME).stat().st_mtime_ns == before


@posix
def test_an_interrupted_set_up_goes_on_where_it_was(ready: Path) -> None:
    ledger = ready / ".venv" / NAME
    held = json.loads(ledger.read_text())
    del held["done"]["starter"]
    ledger.write_text(json.dumps(held | {"begun": "starter"}))
    answer = run_py(ready, "setup")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "interrupted" in answer.stdout and "[1/1] starter model" in answer.stdout
    assert json.loads(ledger.read_text())["begun"] is None


@posix
def test_a_changed_requirement_is_noticed(ready: Path) -> None:
    with (ready / "requirements.txt").open("a") as file:
        file.write("no-such-package-as-this==1.0\n")
    try:
        answer = run_py(ready, "setup")
        assert answer.returncode == 1
        assert "no such version" in answer.stderr
    finally:
        shutil.copy(ROOT / "requirements.txt", ready / "requirements.txt")
    assert run_py(ready, "setup").returncode == 0


@posix
def test_a_moved_folder_is_noticed_and_its_environment_made_anew(ready: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(ready, moved, symlinks=True)
    answer = run_py(moved, "setup")
    assert "made anew: the folder was moved" in answer.stdout
    assert answer.returncode == 1  # there is no network to make it from
    assert "[1/5] Python environment: done" in answer.stdout


@posix
def test_a_python_that_is_gone_is_noticed(ready: Path, tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    (project / ".venv" / "bin").mkdir(parents=True)
    (project / ".venv" / "bin" / "python").symlink_to(tmp_path / "uninstalled")
    assert "made anew: its Python is gone" in run_py(project, "setup").stdout


@posix
def test_doctor_names_the_command_that_mends(project: Path) -> None:
    answer = run_py(project, "doctor")
    assert answer.returncode == 1
    assert "there is none yet" in answer.stdout and "python3 run.py setup" in answer.stdout


def test_help_names_every_command(project: Path) -> None:
    text = run_py(project, "--help").stdout
    assert all(word in text for word in ("hub", "chat", "test", "bench", "doctor", "setup", "bundle", "--no-browser"))


def test_an_unknown_command_is_refused(project: Path) -> None:
    answer = run_py(project, "nonsense")
    assert answer.returncode == 2 and "chat" in answer.stderr and not (project / ".venv").exists()


def test_half_installed_packages_are_forgotten(tmp_path: Path) -> None:
    packages = tmp_path / "lib" / "python3.11" / "site-packages"
    for name in ("whole-1.0.dist-info", "half-1.0.dist-info", "~aside"):
        (packages / name).mkdir(parents=True)
    (packages / "whole-1.0.dist-info" / "RECORD").touch()
    if sys.platform != "win32":
        clear_half_installed(tmp_path)
        assert [p.name for p in packages.iterdir()] == ["whole-1.0.dist-info"]


def test_a_kill_in_the_middle_of_a_step_is_remembered(tmp_path: Path) -> None:
    Ledger(tmp_path).finish("packages", "a")
    Ledger(tmp_path).begin("packages")
    again = Ledger(tmp_path)
    assert again.begun == "packages" and not again.is_done("packages", "a")
    (tmp_path / NAME).write_text('{"done": {"packages"')
    assert not Ledger(tmp_path).exists  # torn by a full disk: everything is looked at anew


def test_two_set_ups_take_turns(tmp_path: Path) -> None:
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r})\nfrom pathlib import Path\nfrom tools.lock import only_one\n"
    code += "with only_one(Path(sys.argv[1])): print('mine')"
    with only_one(tmp_path / "lock"):
        other = subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "lock")], stdout=subprocess.PIPE, text=True
        )
        assert other.stdout is not None
        assert "waiting" in other.stdout.readline()
    assert other.communicate(timeout=30)[0].strip() == "mine"


def test_too_little_room_is_told_in_numbers() -> None:
    assert room_problem(50.0, 3.0) is None
    assert "needs about 3.0 GB and 1.2 GB is free" in (room_problem(1.2, 3.0) or "")


@pytest.mark.parametrize(
    ("output", "advice"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk is full"),
        ("NewConnectionError(': Failed to establish a new connection: [Errno -3] name resolution')", "no network"),
        ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]'))", "PIP_CERT"),
        ("ProxyError('Cannot connect to proxy.', OSError('407'))", "HTTPS_PROXY"),
        ("ERROR: No matching distribution found for torch==2.13.0", "no such version"),
        ("ensurepip is not available", "python3-venv"),
        ("something else\nlast words", "last words"),
    ],
)
def test_a_failure_says_what_to_do(output: str, advice: str) -> None:
    error = str(explain("pip install", output, "setup.log"))
    assert advice in error and "setup.log" in error


def test_pips_output_is_condensed() -> None:
    assert condense("Collecting numpy==2.4.6 (from -c x)") == "looking up numpy==2.4.6"
    assert condense("  Downloading torch-2.13.0-cp311-cp311-linux.whl.metadata (180.0 MB)") is not None
    assert condense("WARNING: Location 'x' is ignored") is None


def test_a_silent_index_is_not_waited_for() -> None:
    import socket
    import time

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        started = time.monotonic()
        assert not torch_source.answers(f"http://127.0.0.1:{silent.getsockname()[1]}/", patience=0.5)
        assert time.monotonic() - started < 30  # a hang, not a speed


def test_the_pinned_torch_is_found_and_not_a_cuda_build_without_a_gpu() -> None:
    pin = torch_source.pinned(ROOT / "requirements.txt")
    assert pin.startswith("torch==")
    assert torch_source.is_installed(pin, Path(sys.prefix))
    if torch_source.wants_cpu_build():
        import torch

        assert torch.version.cuda is None
