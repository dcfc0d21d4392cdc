"""The list of languages."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ENGLISH = "en"
FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Language:
    """A language of the pages: its code, what it calls itself, and what browsers and Gradio know it by."""

    code: str
    name: str
    locale: str
    right_to_left: bool = False

    @property
    def direction(self) -> str:
        """For the `dir` attribute of a page."""
        return "rtl" if self.right_to_left else "ltr"


def _listed() -> Mapping[str, Language]:
    rows = tomllib.loads((FOLDER / "languages.toml").read_text(encoding="utf-8"))
    english = Language(ENGLISH, "English", ENGLISH)
    return {ENGLISH: english} | {code: Language(code, **row) for code, row in rows.items()}


LANGUAGES = _listed()
