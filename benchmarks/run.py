"""Runs the speed measurements, each in a process of its own, and writes them as JSON and a Markdown table.

    python3 run.py bench [NAME ...]

Everything is a ratio of two things measured in turns in one run, so that a slow or busy machine falls on both.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
RESULTS = HERE / "results"
NAMES = (
    "imports",
    "startup",
    "space",
    "memory",
    "pictures",
    "speech",
    "clips",
    "solids",
    "crowding",
    "cluster",
    "card",
)


def main() -> int:
    """Run the named measurements, or all; returns 1 where a bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], help="which to run (default: all)")
    names = parser.parse_args().names or NAMES
    rows: list[dict[str, Any]] = []
    for name in names:
        print(f"== {name}", flush=True)
        done = subprocess.run([sys.executable, str(HERE / f"{name}.py")], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        if done.returncode:
            print(f"{name} failed with status {done.returncode}", file=sys.stderr)
            return done.returncode
        found = json.loads(done.stdout.splitlines()[-1])
        rows += found
        print("\n".join(f"   {line(row)}" for row in found), flush=True)
    write(_merged(rows))
    return int(any(not row["met"] for row in rows))


def line(row: dict[str, Any]) -> str:
    """One result for a person."""
    return f"{row['what']}: {row['value']:g} {row['unit']} (bound {row['bound']}) {'met' if row['met'] else 'MISSED'}"


def _merged(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The new rows in place of the old ones of the same name."""
    file = RESULTS / "latest.json"
    old = json.loads(file.read_text("utf-8"))["rows"] if file.is_file() else []
    new = {row["what"]: row for row in rows}
    return [new.pop(row["what"], row) for row in old] + list(new.values())


def write(rows: list[dict[str, Any]]) -> None:
    """Write `latest.json` and `latest.md`."""
    import psutil

    machine = f"{psutil.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GB, {platform.machine()}"
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "latest.json").write_text(json.dumps({"machine": machine, "rows": rows}, indent=1) + "\n", "utf-8")
    table = ["| What | Value | Bound | | Details |", "|---|---|---|---|---|"]
    for row in rows:
        met = "met" if row["met"] else "**missed**"
        table.append(f"| {row['what']} | {row['value']:g} {row['unit']} | {row['bound']} | {met} | {row['details']} |")
    head = f"# Speed\n\nMeasured by `python3 run.py bench` on {machine}.\n\n"
    (RESULTS / "latest.md").write_text(head + "\n".join(table) + "\n", "utf-8")


if __name__ == "__main__":
    sys.exit(main())
