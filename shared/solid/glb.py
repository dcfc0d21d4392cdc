"""glTF's binary container: its JSON read and changed without touching the rest.

Layout: https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html#glb-file-format-specification
"""

from __future__ import annotations

import json
import struct
from typing import Any

MAGIC = b"glTF"
MOST_JSON = 4_000_000  # bytes: of a mesh without animations it is a few thousand
_JSON, _HEAD, _CHUNK = b"JSON", struct.Struct("<4sII"), struct.Struct("<I4s")


def parted(data: bytes) -> tuple[dict[str, Any], bytes]:
    """The JSON, and all chunks after it as they are. Raises `ValueError` for what is no GLB of version 2, or broken."""
    if len(data) < _HEAD.size + _CHUNK.size:
        raise ValueError("cut short")
    magic, version, length = _HEAD.unpack_from(data)
    if magic != MAGIC or version != 2:
        raise ValueError("no GLB of version 2")
    size, kind = _CHUNK.unpack_from(data, _HEAD.size)
    start = _HEAD.size + _CHUNK.size
    if kind != _JSON or length > len(data) or start + size > length:
        raise ValueError("cut short")
    if size > MOST_JSON:
        raise ValueError("its description is too long")
    try:
        document = json.loads(data[start : start + size])
    except (ValueError, RecursionError):
        raise ValueError("its description can't be read") from None
    if not isinstance(document, dict):
        raise ValueError("its description is no object")
    return document, data[start + size : length]


def joined(document: dict[str, Any], rest: bytes) -> bytes:
    """The file of a JSON and the chunks after it."""
    text = json.dumps(document, ensure_ascii=True, separators=(",", ":"), default=str).encode("ascii")
    text += b" " * (-len(text) % 4)
    head = _HEAD.pack(MAGIC, 2, _HEAD.size + _CHUNK.size + len(text) + len(rest))
    return head + _CHUNK.pack(len(text), _JSON) + text + rest


def with_extras(data: bytes, extras: dict[str, Any]) -> bytes:
    """The file with these among the extras of its `asset`, where other programs leave them alone."""
    document, rest = parted(data)
    asset = {"version": "2.0", **document.get("asset", {})}
    asset["extras"] = {**asset.get("extras", {}), **extras}
    return joined({**document, "asset": asset}, rest)


def extras_of(data: bytes) -> dict[str, Any]:
    """What `with_extras` wrote; empty where there is nothing. Raises `ValueError` for what is no GLB."""
    asset = parted(data)[0].get("asset")
    extras = asset.get("extras") if isinstance(asset, dict) else None
    return extras if isinstance(extras, dict) else {}
