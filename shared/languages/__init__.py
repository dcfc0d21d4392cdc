"""The languages of the pages, and which of them a visitor asks for.

English stands in the code. Every other language is a TOML file here, `<code>.toml`, from each English text to its
translation: see `docs/languages.md`.
"""

from __future__ import annotations

from shared.languages.asking import COOKIE, asked_language
from shared.languages.known import ENGLISH, LANGUAGES, Language

__all__ = ["COOKIE", "ENGLISH", "LANGUAGES", "Language", "asked_language"]
