"""Keeps cuDNN away from attention whose length changes at every step.

On NVIDIA's newest cards torch lets cuDNN attend, which plans anew for every length: tens of milliseconds a token for
each length that its thread hasn't met. The other ways need no plans.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _Kept:
    """torch has one switch for the whole process: the first run turns it off, and the last one back."""

    def __init__(self) -> None:
        self._lock, self._runs, self._before = threading.Lock(), 0, True

    @contextmanager
    def away(self) -> Iterator[None]:
        """A block in which attention is done without plans, by whatever runs in this process. torch is imported by
        then."""
        cuda = sys.modules["torch"].backends.cuda
        with self._lock:
            if not self._runs:
                self._before = bool(cuda.cudnn_sdp_enabled())
                cuda.enable_cudnn_sdp(False)
            self._runs += 1
        try:
            yield
        finally:
            with self._lock:
                self._runs -= 1
                if not self._runs:
                    cuda.enable_cudnn_sdp(self._before)


of_growing_length = _Kept().away
