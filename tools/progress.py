"""Shows what set-up is doing: one line a step, rewritten in place on a terminal."""

from __future__ import annotations

import shutil
import sys
import time
from types import TracebackType

HEARTBEAT = 20.0  # seconds between lines where the output is a file: a silent log looks like a hang


class Step:
    """One step of a known number. Use as a context manager; call `tell` with what goes on."""

    def __init__(self, number: int, total: int, title: str) -> None:
        self._label = f"  [{number}/{total}] {title}"
        self._live = sys.stdout.isatty()

    def __enter__(self) -> Step:
        self._started = self._told = time.monotonic()
        self._write("...")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._write("stopped" if kind else f"done in {self._seconds():.0f} s", last=True)

    def tell(self, text: str) -> None:
        """Show `text`; from time to time only where it can't be rewritten in place."""
        now = time.monotonic()
        if self._live or now - self._told >= HEARTBEAT:
            self._told = now
            self._write(f"{self._seconds():.0f} s  {text}")

    def _seconds(self) -> float:
        return time.monotonic() - self._started

    def _write(self, text: str, last: bool = False) -> None:
        line = f"{self._label}: {text}"
        if not self._live:
            print(line, flush=True)
            return
        width = shutil.get_terminal_size().columns - 1
        print(f"\r{line[:width]:<{width}}", end="\n" if last else "", flush=True)
