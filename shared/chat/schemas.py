"""A JSON schema that somebody typed. llama.cpp makes a grammar of it and works through that at each token, for all at
once: a long list, or a text of a million letters, would keep everybody waiting for minutes, and nothing stops it there.
"""

from __future__ import annotations

import json
import re
from typing import Any

from shared.errors import InvalidRequest

MOST, DEEPEST, MOST_TIMES = 8000, 24, 1000  # characters, levels, and what may be asked for again and again
LONGEST = 200  # characters of a pattern
_REPEATED = re.compile(r"(?<!\\)\)[*+{]")  # a group again and again: there are too many ways to read what it matches
_TIMES = ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")


def read_schema(text: str) -> dict[str, Any]:
    """The schema in the text. Raises `InvalidRequest` where it can't be read, or asks for too much."""
    try:
        schema = json.loads(text) if len(text) <= MOST else {}
    except ValueError as error:
        raise InvalidRequest(f"The JSON schema can't be read: {error}. Mend it or clear the field.") from None
    except RecursionError:
        raise _too_much() from None
    if not isinstance(schema, dict):
        raise InvalidRequest('The JSON schema must be an object, for example {"type": "object"}.')
    if len(text) > MOST or _asks_too_much(schema):
        raise _too_much()
    return schema


def _asks_too_much(schema: Any) -> bool:
    left = [(schema, 1)]
    while left:
        part, depth = left.pop()
        inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        if depth > DEEPEST or (isinstance(part, dict) and _alone_too_much(part)):
            return True
        left += [(each, depth + 1) for each in inner]
    return False


def _alone_too_much(part: dict[str, Any]) -> bool:
    times = (part.get(name) for name in _TIMES)
    pattern = str(part.get("pattern", ""))
    if len(pattern) > LONGEST or _REPEATED.search(pattern):
        return True
    elsewhere = not str(part.get("$ref", "#/")).startswith("#/")
    return elsewhere or any(isinstance(count, int | float) and count > MOST_TIMES for count in times)


def _too_much() -> InvalidRequest:
    return InvalidRequest(
        f"The JSON schema asks for too much: {MOST:,} characters, {DEEPEST} levels and {MOST_TIMES:,} of anything are "
        "the most, and it may refer to its own parts only. Make it smaller."
    )
