"""The kinds of files that a motion is kept in, and what stands in them of how it was made."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.errors import InvalidRequest
from shared.media.sound.labelling import KEYWORD, document
from shared.motion import bvh, gltf
from shared.motion.skeleton import Motion
from shared.receipts import Receipt
from shared.requests import MotionRequest


@dataclass(frozen=True)
class Kind:
    """A kind of file: its ending and media type, and what writes it."""

    suffix: str
    media_type: str
    write: Callable[[Motion, dict[str, Any]], bytes]


KINDS: Mapping[str, Kind] = {
    "glb": Kind(".glb", "model/gltf-binary", gltf.written),
    "bvh": Kind(".bvh", "application/octet-stream", lambda motion, made: bvh.written(motion)),
}


def kind_of(name: str) -> Kind:
    """The kind by its name. Raises `InvalidRequest`."""
    if name not in KINDS:
        raise InvalidRequest(f"A motion is saved as one of {', '.join(KINDS)}, not as {name[:20]!r}.")
    return KINDS[name]


def encode(motion: Motion, kind: str, receipt: Receipt, request: MotionRequest) -> bytes:
    """The motion as a file; a GLB holds its receipt. Raises `InvalidRequest`."""
    return kind_of(kind).write(motion, {KEYWORD: document(receipt, request)})


def write_all(motion: Motion, receipt: Receipt, request: MotionRequest) -> list[str]:
    """Write a file of each kind into a folder of their own; their paths."""
    folder = Path(tempfile.mkdtemp(prefix="playground-motions-"))
    words = re.sub(r"[^a-z0-9]+", "-", request.prompt[:80].lower()).strip("-")[:40] or "motion"
    stem, paths = words if receipt.seed is None else f"{words}-{receipt.seed}", []
    for name, kind in KINDS.items():
        path = folder / f"{stem}{kind.suffix}"
        path.write_bytes(encode(motion, name, receipt, request))
        paths.append(str(path))
    return paths
