"""What other tools call a sampler, and diffusers' name for it: `samplers.toml`."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any


@cache
def table() -> dict[str, dict[str, Any]]:
    """The table as it is written."""
    return tomllib.loads((Path(__file__).parent / "samplers.toml").read_text(encoding="utf-8"))


def scheduler_class(tool: str, name: str) -> tuple[str | None, str]:
    """diffusers' class for that tool's sampler (None: there is none), and the spacing of steps named after it."""
    spacing = next((s for s in table()["spacings"]["names"] if name.lower().endswith(f" {s}")), "")
    bare = name[: len(name) - len(spacing)].strip().lower()
    known = {theirs.lower(): ours for theirs, ours in table()[tool].items()}
    return known.get(bare), spacing


def is_usual(spacing: str) -> bool:
    """Whether that spacing of steps needs no word."""
    return spacing.strip().lower() in table()["spacings"]["usual"]


def sampler_name(scheduler: str) -> str:
    """The name that other tools know a diffusers class by; the class's own where they know none."""
    return next((theirs for theirs, ours in table()["a1111"].items() if ours == scheduler), scheduler)
