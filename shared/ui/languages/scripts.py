"""The texts in our scripts, each within `said("...")`: a page's head brings them in its language."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from shared.languages.known import FOLDER

# For where no page has brought `said`: a notebook's, for one.
_ENGLISH = "const said = window.said ?? ((text, ...values) => text.replace(/\\{(\\d+)\\}/g, (_, n) => values[n]));\n"
_SAID = re.compile(r"""\bsaid\(\s*(["'])((?:(?!\1|\\).)+)\1""")


def read_script(file: Path) -> str:
    """A script for a component, which may use `said`."""
    return _ENGLISH + file.read_text(encoding="utf-8")


def texts_of(script: str) -> list[str]:
    """The texts in a script, in their order."""
    return [found[2] for found in _SAID.finditer(script)]


@cache
def script_texts() -> tuple[str, ...]:
    """Those of all our scripts and pages."""
    folder: Path = FOLDER.parent / "ui"
    files = sorted([*folder.rglob("*.js"), *folder.rglob("*.html")])
    return tuple(dict.fromkeys(text for file in files for text in texts_of(file.read_text(encoding="utf-8"))))
