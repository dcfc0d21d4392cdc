"""Measures what a model adds to the memory of this process, and gives freed memory back to the system."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import sys
import threading
import time
from collections import deque
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


def free_cuda_gb() -> float | None:
    """CUDA memory that torch could still allocate, in GiB, whoever else uses the card; None before torch uses CUDA."""
    torch = _torch()
    if not (torch and torch.cuda.is_available() and torch.cuda.is_initialized()):
        return None
    kept = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
    return float(torch.cuda.mem_get_info()[0] + kept) / GIB


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
    times a second, their answers took a quarter longer.

    Main memory is seen as it is at each look. Of CUDA memory torch itself knows the most that was held since the look
    before, so that nothing is missed between two of them, however short.
    """

    AGE = 0.05  # seconds; less than a run waits before it first asks, so that it never hears of a time before its own
    KEPT = 64  # looks: over three seconds of them, and every run asks ten times a second

    def __init__(self) -> None:
        self._lock, self._looks = threading.Lock(), deque[tuple[float, float]](maxlen=self.KEPT)

    def begin(self) -> tuple[float, float]:
        """Now, by the monotonic clock, and what is held now, in GiB."""
        with self._lock:
            resident = self._look()
            return self._looks[-1][0], resident + cuda_gb()

    def most_since(self, begun: float, *, now: bool = False) -> float:
        """The most that looks after that time saw, in GiB; 0 where there was none. `now`: look, however lately."""
        with self._lock:
            if now or not self._looks or time.monotonic() - self._looks[-1][0] > self.AGE:
                self._look()
            return max((total for at, total in self._looks if at > begun), default=0.0)

    def _look(self) -> float:
        """Look, and tell what is resident."""
        resident = rss_gb()
        total = resident + _most_cuda_gb()
        self._looks.append((time.monotonic(), total))
        return resident


def _most_cuda_gb() -> float:
    """The most CUDA memory that torch had allocated since it was last asked, in GiB."""
    torch = _torch()
    if not (torch and torch.cuda.is_available()):
        return 0.0
    most = torch.cuda.max_memory_allocated() / GIB
    torch.cuda.reset_peak_memory_stats()
    return float(most)


_LATELY = _Lately()


class PeakMemory:
    """A context manager that samples resident and CUDA memory ten times a second.

    `growth_gb` is the highest sum seen above that at entry. Runs that go on at the same time share a process, so
    each then sees the growth of all.
    """

    def __init__(self, interval: float = 0.1) -> None:
        self._interval, self._done = interval, threading.Event()
        self._begun = self._at_entry = self._peak = 0.0

    @property
    def growth_gb(self) -> float:
        """Peak above the sum at entry, in GiB."""
        return self._peak - self._at_entry

    def __enter__(self) -> PeakMemory:
        self._begun, self._at_entry = _LATELY.begin()
        self._peak = self._at_entry
        self._thread = threading.Thread(target=self._watch, name="peak-memory", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._done.set()
        self._thread.join()
        self._peak = max(self._peak, _LATELY.most_since(self._begun, now=True))

    def _watch(self) -> None:
        while not self._done.wait(self._interval):
            self._peak = max(self._peak, _LATELY.most_since(self._begun))
