"""Lets one set-up at a time work on the environment, also against a pip that outlived its killed parent."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def only_one(path: Path) -> Iterator[int | None]:
    """Wait for the lock, saying so. Yields the file descriptor to hand to children, so that they hold it too
    (POSIX; on Windows None: there a child is ended with its console)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        told = False
        while not _try(file):
            if not told:
                print("Another set-up is at work in this folder; waiting for it to end.", flush=True)
                told = True
            time.sleep(0.3)
        yield None if os.name == "nt" else file.fileno()


if os.name == "nt":
    import msvcrt

    def _try(file: IO[str]) -> bool:
        try:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try(file: IO[str]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
