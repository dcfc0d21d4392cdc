"""Reads settings back from a solid's file that was made here: each is checked before it is taken."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass, field
from typing import Any

from shared.errors import InvalidRequest
from shared.media.fields import Fields, load_json
from shared.requests import SolidRequest
from shared.solid import glb
from shared.solid.files import KEYWORD

MAX_BYTES = 100_000_000
NUMBERS = ("num_inference_steps", "guidance_scale", "size_mm", "resolution", "depth", "parts", "tolerance", "seed")
_HEAD = 1_000_000  # bytes of a text that is looked for
_LINE = re.compile(rb'(?m)^(?:comment|#) (\{"' + KEYWORD.encode() + rb'".*\})\r?$')
_NOTHING = (
    "This file doesn't say how it was made: it is no GLB, OBJ or PLY of this playground, or a program has taken that "
    "out. Drop the file as it was first saved; an STL has no room for it."
)


@dataclass(frozen=True, kw_only=True)
class RestoredSolid:
    """What a file says about how it was made. `values`: settings by name; `ignored`: what was left out, and why."""

    prompt: str = ""
    model: str | None = None
    values: dict[str, Any] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()


def restore(data: bytes) -> RestoredSolid:
    """Read a GLB, a zipped OBJ, a PLY or a receipt's JSON. Raises `InvalidRequest` where it says nothing."""
    told = made_here(data)
    request, receipt = _part(told, "request"), _part(told, "receipt")
    if not isinstance(request.get("prompt"), str):
        raise InvalidRequest(_NOTHING)
    found = Fields(SolidRequest(prompt="-"))
    used = {**_part(receipt, "settings"), **request}
    for name in NUMBERS:
        found.number(name, receipt.get("seed") if name == "seed" else used.get(name))
    found.text("back", used.get("back"))
    found.text("prompt", request["prompt"])
    found.text("model", receipt.get("model"))
    if request.get("from"):
        found.note("it was lifted from a picture, which the file doesn't hold; add that picture again")
    values = dict(found.values)
    values["see_through"] = used.get("see_through") is True
    return RestoredSolid(
        prompt=values.pop("prompt", ""), model=values.pop("model", None), values=values, ignored=found.ignored
    )


def made_here(data: bytes) -> dict[str, Any]:
    """The document that a file made here carries. Raises `InvalidRequest` where it carries none."""
    if len(data) > MAX_BYTES:
        raise InvalidRequest(f"The file is larger than {MAX_BYTES // 1_000_000} MB. Drop the solid as it was saved.")
    if data.startswith(glb.MAGIC):
        try:
            return _part(glb.extras_of(data), KEYWORD)
        except ValueError as error:
            raise InvalidRequest(f"This GLB can't be read: {error}. Drop it as it was saved.") from None
    if data.startswith(b"PK"):
        data = _obj_of(data)
    if data.lstrip()[:1] == b"{":
        whole = load_json(data.decode("utf-8", "replace"))
        return _part(whole, KEYWORD) or _part({"whole": whole}, "whole")
    line = _LINE.search(data[:_HEAD])
    return _part(load_json(line[1].decode("ascii", "replace")), KEYWORD) if line else {}


def _obj_of(data: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed, packed.open("solid.obj") as file:
            return file.read(_HEAD)
    except (KeyError, OSError, ValueError, zipfile.BadZipFile, NotImplementedError, RuntimeError):
        return b""


def _part(document: Any, name: str) -> dict[str, Any]:
    part = document.get(name) if isinstance(document, dict) else None
    return part if isinstance(part, dict) else {}
