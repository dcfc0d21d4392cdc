"""A run's settings as the end of an address (`#restore=…`), and back. Whoever has such an address may have changed it.

They stand behind the `#`, which a browser keeps to itself: what was asked is in no server's log and no `Referer`. In it
are the request, the model, the seed and the settings; no key is in a document that made an output, and none comes in.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from typing import Any

from shared.errors import InvalidRequest

MARK = "#restore="
LONGEST = 1800  # characters of settings in an address: mail and chat programs cut what is much longer
MOST = 64_000  # characters of JSON in one that is kept by the server
_WHOLE = re.compile(r"#restore=([a-z][a-z-]{0,30})\.([zsw])([A-Za-z0-9_-]{1,4000})")
_KEPT = ("model", "seed", "settings")
_BROKEN = "This link is damaged or cut short. Ask for it once more, and copy all of it."


def compact(document: dict[str, Any]) -> dict[str, Any]:
    """Of what made an output: the request, and of its receipt what a screen can be set to."""
    receipt = document.get("receipt")
    kept = {name: receipt[name] for name in _KEPT if name in receipt} if isinstance(receipt, dict) else {}
    return {"request": document.get("request", {}), "receipt": kept}


def packed(document: dict[str, Any]) -> str:
    """The document as it stands in an address. Raises `InvalidRequest` where it is too large even to be kept."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), default=str)
    if len(text) > MOST:
        raise InvalidRequest("What was asked is too long for a link. Hand on the file itself: the settings are in it.")
    return base64.urlsafe_b64encode(zlib.compress(text.encode("utf-8", "replace"), 9)).decode().rstrip("=")


def unpacked(text: str) -> bytes:
    """The JSON again, no more of it than `packed` takes. Raises `InvalidRequest`."""
    try:
        squeezed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        unpacker = zlib.decompressobj()
        data = unpacker.decompress(squeezed, MOST * 4)  # characters have four bytes at most
    except (ValueError, zlib.error):
        raise InvalidRequest(_BROKEN) from None
    if unpacker.unconsumed_tail or not unpacker.eof:
        raise InvalidRequest(_BROKEN)
    return data


def read(fragment: object) -> tuple[str, str, str]:
    """Of the end of an address: the box that it is for, how it holds the settings ("z": itself, "w": itself but for the
    words, "s": by an id of the server's), and these; three empty texts for any other end. Raises `InvalidRequest` for
    one that is damaged."""
    text = str(fragment or "")
    if not text.startswith(MARK):
        return "", "", ""
    found = _WHOLE.fullmatch(text)
    if found is None:
        raise InvalidRequest(_BROKEN)
    return found[1], found[2], found[3]
