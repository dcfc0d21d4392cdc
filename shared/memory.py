"""Measures what a model adds to the memory of this process, and gives freed memory back to the system."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import sys
import threading
import time
from functools import cache
from types import TracebackType
from typing import Any

from shared.machine import GIB


def rss_gb() -> float:
    """Memory of this process that is resident now, in GiB."""
    return float(_process(os.getpid()).memory_info().rss / GIB)


@cache
def _process(pid: int) -> Any:
    import psutil

    return psutil.Process(pid)


def cuda_gb() -> float:
    """CUDA memory allocated by torch now, in GiB; 0 where torch isn't loaded or has no CUDA."""
    torch = _torch()
    return torch.cuda.memory_allocated() / GIB if torch and torch.cuda.is_available() else 0.0


def _torch() -> Any:
    """torch where it has been imported, and None while another thread is still importing it."""
    torch = sys.modules.get("torch")
    return None if torch is None or getattr(torch.__spec__, "_initializing", False) else torch


@cache
def share_arenas() -> None:
    """Make glibc serve all threads from one heap. Once, before the first model is loaded.

    By default each thread may get a heap of its own, and a long-lived thread's keeps what is freed there: ten loads
    of the starter model by OpenVINO then left 390 MB behind.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def give_back() -> None:
    """Collect garbage, then return freed pages to the system: glibc keeps them otherwise."""
    gc.collect()
    torch = _torch()
    if torch and torch.cuda.is_available():
        torch.cuda.empty_cache()
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)


_M_ARENA_MAX = -8  # from malloc.h


class _Lately:
    """What the process holds, looked up at most twenty times a second for all runs: where two hundred each looked ten
    times a second, their answers took a quarter longer."""

    AGE = 0.05  # seconds; less than a run waits before it first asks, so that it never hears of a time before its own

    def __init__(self) -> None:
        self._lock, self._at, self._total = threading.Lock(), -1.0, 0.0

    def total_gb(self) -> float:
        """Resident and CUDA memory, in GiB."""
        with self._lock:
            if time.monotonic() - self._at > self.AGE:
                self._total = rss_gb() + cuda_gb()
                self._at = time.monotonic()
            return self._total


_LATELY = _Lately()


class PeakMemory:
    """A context manager that samples resident and CUDA memory ten times a second.

    `growth_gb` is the highest sum seen above that at entry. Runs that go on at the same time share a process, so
    each then sees the growth of all.
    """

    def __init__(self, interval: float = 0.1) -> None:
        self._interval, self._done = interval, threading.Event()
        self._at_entry = self._peak = 0.0

    @property
    def growth_gb(self) -> float:
        """Peak above the sum at entry, in GiB."""
        return self._peak - self._at_entry

    def __enter__(self) -> PeakMemory:
        self._sample()
        self._at_entry = self._peak
        self._thread = threading.Thread(target=self._watch, name="peak-memory", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._done.set()
        self._thread.join()
        self._sample()

    def _watch(self) -> None:
        while not self._done.wait(self._interval):
            self._peak = max(self._peak, _LATELY.total_gb())

    def _sample(self) -> None:
        self._peak = max(self._peak, rss_gb() + cuda_gb())
