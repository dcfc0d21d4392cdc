"""What `import shared` adds to a bare interpreter's start."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from measuring import ROOT, give, row


def seconds(code: str) -> float:
    """One run of the interpreter."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    return time.perf_counter() - begun


def main() -> None:
    """Eleven pairs, in turns."""
    pairs = [(seconds("import shared, shared.engine"), seconds("import shared"), seconds("pass")) for _ in range(11)]
    engine, shared, bare = (statistics.median(column) for column in zip(*pairs, strict=True))
    details = f"medians of 11: {shared:.3f} s against {bare:.3f} s; with the engine {engine:.3f} s"
    give([row("import shared", max(shared - bare, 0.0), "s", "<= 0.1", details)])


if __name__ == "__main__":
    main()
