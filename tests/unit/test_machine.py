"""What the machine has is found out without torch, and a broken driver is no GPU."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shared import machine
from shared.machine import Machine
from tests.support.fakes import SMALL, WITH_GPU

posix = pytest.mark.skipif(sys.platform == "win32", reason="the driver's tool is played by a shell script")


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Machine]]:
    """Probes a machine whose `nvidia-smi` is this shell script."""

    def probe_with(script: str) -> Machine:
        tool = tmp_path / "nvidia-smi"
        tool.write_text(f"#!/bin/sh\n{script}\n")
        tool.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
        machine.probe.cache_clear()
        return machine.probe()

    yield probe_with
    machine.probe.cache_clear()


@posix
def test_the_largest_card_counts(driver: Callable[[str], Machine]) -> None:
    found = driver('echo "8192, Small Card"; echo "24576, Large Card, with a comma"')
    assert (found.cuda_gb, found.cuda_name) == (24.0, "Large Card, with a comma")
    assert found.accelerator == "cuda" and found.bf16
    assert "Large Card" in found.describe()


@posix
@pytest.mark.parametrize("script", ["echo 'Driver mismatch' >&2; exit 9", "echo '[N/A], Card'", "true"])
def test_a_driver_that_gives_no_memory_is_no_gpu(driver: Callable[[str], Machine], script: str) -> None:
    found = driver(script)
    assert (found.cuda_gb, found.cuda_name) == (0.0, "")


def test_probing_loads_no_torch_and_finds_something() -> None:
    code = "import sys; from shared.machine import probe; m = probe(); print(m.cores, m.ram_gb, 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    cores, ram, torch = done.stdout.split()
    assert int(cores) >= 1 and float(ram) > 0.1 and torch == "False"
    assert 0 < machine.free_ram_gb() < 100_000


def test_the_best_device_and_a_line_for_a_person() -> None:
    apple = Machine(system="Darwin", arch="arm64", cores=8, ram_gb=16.0, mps=True)
    assert [m.accelerator for m in (SMALL, WITH_GPU, apple)] == ["cpu", "cuda", "mps"]
    assert SMALL.describe() == "2 cores, 8 GB memory, no GPU"
    assert apple.describe().endswith("Apple GPU")
