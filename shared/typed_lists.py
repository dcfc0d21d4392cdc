"""A list as a person types it: with the commas or semicolons of any language between its parts."""

from __future__ import annotations

import re

_SEMICOLON = r";；؛"
_COMMA = r",，、،"
_DECIMAL = str.maketrans(dict.fromkeys(f"{_COMMA}٫", "."))


def parts(text: str) -> list[str]:
    """Words, names, whole numbers: what stands between commas or semicolons."""
    return _split(f"[{_COMMA}{_SEMICOLON}]", text)


def long_parts(text: str) -> list[str]:
    """What may have commas of its own, as a prompt: what stands between semicolons."""
    return _split(f"[{_SEMICOLON}]", text)


def numbers(text: str) -> list[str]:
    """Numbers: between commas; or between semicolons where there are some, then a comma is a number's: `3,5; 7,5`."""
    if re.search(f"[{_SEMICOLON}]", text):
        return [part.translate(_DECIMAL) for part in long_parts(text)]
    return parts(text)


def _split(between: str, text: str) -> list[str]:
    return [part.strip() for part in re.split(between, text) if part.strip()]
