"""Which language a visitor asks for: what they chose on the page (a cookie keeps it), else what their browser says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from shared.languages.known import ENGLISH, LANGUAGES

COOKIE = "language"
_CHOSEN = re.compile(rf"(?:^|;)\s*{COOKIE}=([a-z]{{2}})\s*(?:;|$)")
_WISH = re.compile(r"\s*([A-Za-z]{2,3})(?:-[\w-]+)?\s*(?:;\s*q=([\d.]{1,5})\s*)?")
_LONGEST = 1000  # characters of a header that are looked at


def asked_language(scope: Mapping[str, Any]) -> str:
    """The code of the language that an ASGI call asks for: one of `LANGUAGES`, English where it says nothing."""
    headers: Iterable[tuple[bytes, bytes]] = scope.get("headers") or ()
    said = {name: value for name, value in headers if name in (b"cookie", b"accept-language")}
    if not said:
        return ENGLISH
    return _language(said.get(b"cookie", b"")[: 4 * _LONGEST], said.get(b"accept-language", b"")[:_LONGEST])


@lru_cache(maxsize=1024)
def _language(cookies: bytes, wishes: bytes) -> str:
    chosen = _CHOSEN.search(cookies.decode("latin-1"))
    if chosen and chosen[1] in LANGUAGES:
        return chosen[1]
    best, code = 0.0, ENGLISH
    for each in wishes.decode("latin-1").split(","):
        wish = _WISH.fullmatch(each)
        if wish is None or wish[1].lower() not in LANGUAGES:
            continue
        try:
            weight = float(wish[2] or 1)
        except ValueError:
            continue
        if weight > best:
            best, code = weight, wish[1].lower()
    return code
