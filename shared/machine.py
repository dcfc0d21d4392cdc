"""What this machine has: processor, memory, accelerator. Probed once, without importing torch."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache

from shared.surroundings import on_zero_gpu
from shared.zerogpu import gpu as zero_gpu

GIB = 1024**3


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Sizes in GiB. `cuda_gb` is the largest NVIDIA card's memory, 0 where there is none."""

    system: str
    arch: str
    cores: int
    ram_gb: float
    cuda_gb: float = 0.0
    cuda_name: str = ""
    mps: bool = False
    bf16: bool = False

    @property
    def accelerator(self) -> str:
        """The device that torch should use: `cuda`, `mps` or `cpu`."""
        return "cuda" if self.cuda_gb else "mps" if self.mps else "cpu"

    def describe(self) -> str:
        """One line for a person."""
        gpu = self.cuda_name or ("Apple GPU" if self.mps else "no GPU")
        return f"{self.cores} cores, {self.ram_gb:.0f} GB memory, {gpu}"


@cache
def probe() -> Machine:
    """This machine. Cached for the life of the process."""
    import psutil

    system, arch = platform.system(), platform.machine()
    cuda_name, cuda_gb = zero_gpu() if on_zero_gpu() else _nvidia()
    return Machine(
        system=system,
        arch=arch,
        cores=_usable_cores(),
        ram_gb=_memory_limit(psutil.virtual_memory().total) / GIB,
        cuda_gb=cuda_gb,
        cuda_name=cuda_name,
        mps=system == "Darwin" and arch == "arm64",
        bf16=bool(cuda_gb) or _cpu_has("amx_bf16", "avx512_bf16"),
    )


def free_ram_gb() -> float:
    """Memory that can be used now without swapping, in GiB."""
    import psutil

    return float(psutil.virtual_memory().available / GIB)


def _usable_cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _memory_limit(total: int) -> int:
    """A container's limit where it is under the machine's (cgroup v2)."""
    try:
        with open("/sys/fs/cgroup/memory.max") as file:
            text = file.read().strip()
    except OSError:
        return total
    return min(total, int(text)) if text.isdigit() else total


def _nvidia() -> tuple[str, float]:
    """Name and memory of the largest card, by the driver's own tool: torch would take seconds to import."""
    tool = shutil.which("nvidia-smi")
    if not tool:
        return "", 0.0
    query = [tool, "--query-gpu=memory.total,name", "--format=csv,noheader,nounits"]
    try:
        rows = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True).stdout.splitlines()
        cards = [(float(mib) / 1024, name.strip()) for mib, _, name in (row.partition(",") for row in rows)]
    except (OSError, subprocess.SubprocessError, ValueError):
        return "", 0.0
    size, name = max(cards, default=(0.0, ""))
    return name, size


def _cpu_has(*flags: str) -> bool:
    try:
        with open("/proc/cpuinfo") as file:
            present = set(next((line for line in file if line.startswith("flags")), "").split())
    except OSError:
        return False
    return any(flag in present for flag in flags)
