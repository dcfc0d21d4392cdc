"""What set-up has done, kept in the environment itself: an interrupted set-up resumes, a finished one is skipped."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

NAME = "playground-setup.json"


class Ledger:
    """Steps by name, each with the fingerprint of what it was made from. Written at once, in one move."""

    def __init__(self, venv: Path) -> None:
        self._file = venv / NAME
        try:
            held = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            held = {}
        held = held if isinstance(held, dict) else {}
        self.exists = bool(held)
        self.location: str | None = held.get("location")
        self.begun: str | None = held.get("begun")  # a step that was never finished
        self._done: dict[str, str] = held.get("done", {})
        self._here = str(venv)

    def is_done(self, step: str, fingerprint: str) -> bool:
        """Whether the step was finished with just this fingerprint."""
        return self.begun != step and self._done.get(step) == fingerprint

    def begin(self, step: str) -> None:
        """Note that the step has begun, so that a kill in the middle is seen next time."""
        self.begun = step
        self._done.pop(step, None)
        self._write()

    def finish(self, step: str, fingerprint: str) -> None:
        """Note that the step is done."""
        self.begun = None
        self._done[step] = fingerprint
        self._write()

    def _write(self) -> None:
        held = {"location": self._here, "begun": self.begun, "done": self._done}
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps(held, indent=1), encoding="utf-8")
        os.replace(fresh, self._file)


def fingerprint(*parts: object) -> str:
    """A short hash of texts and files (by content)."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.read_bytes() if isinstance(part, Path) else str(part).encode())
        digest.update(b"\0")
    return digest.hexdigest()[:16]
