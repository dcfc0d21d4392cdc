"""Where a page's files lie until they are cleared away, and what they are called."""

from __future__ import annotations

import re
import tempfile
from functools import cache
from pathlib import Path


@cache
def _folder() -> Path:
    """This process's folder under the system's place for temporary files, where Gradio may read."""
    return Path(tempfile.mkdtemp(prefix="playground-"))


def new_folder() -> Path:
    """A new folder for one run's files, where Gradio may read."""
    return Path(tempfile.mkdtemp(dir=_folder()))


def slug(text: str) -> str:
    """The text's letters and digits, with hyphens between; nothing where it has none of a to z and 0 to 9."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
