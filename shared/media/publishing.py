"""Takes out of a file's label what is nobody else's business: keys, folders, addresses of one's own servers."""

from __future__ import annotations

import re
from typing import Any

_KEY = re.compile(
    r"\b(?:sk-[A-Za-z0-9_-]{16,}|hf_[A-Za-z0-9]{16,}|gsk_[A-Za-z0-9]{16,}|AIza[A-Za-z0-9_-]{30,}"
    r"|gh[pousr]_[A-Za-z0-9]{30,}|xox[abpr]-[A-Za-z0-9-]{20,})"
)
# A text that is a path, or a path within words: what comes before the last name in it.
_PATH = re.compile(
    r"^(?:file://|~|\.{0,2}/|\.{0,2}\\|[A-Za-z]:[\\/])[^\n]*[\\/]"
    r"|(?<![\w:/.~])(?:file://|~)?/(?:[^\s/:\"'()]+/)+|\b[A-Za-z]:\\(?:[^\s\\\"'()]+\\)*"
)


def public(value: Any) -> Any:
    """The value without what is this machine's own: folders, and the addresses of its own servers."""
    if isinstance(value, str):
        return without_keys(_PATH.sub("", value).partition("@http")[0])
    if isinstance(value, dict):
        return {public(name): public(held) for name, held in value.items()}
    return [public(held) for held in value] if isinstance(value, list | tuple) else value


def without_keys(value: Any) -> Any:
    """The text with dots in place of what looks like a key; anything else as it is."""
    return _KEY.sub("•••", value) if isinstance(value, str) else value
