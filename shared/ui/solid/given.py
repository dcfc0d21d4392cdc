"""Which solid a panel works on: a mesh that was sent, or else the last that was made here."""

from __future__ import annotations

from typing import Any

from shared.errors import InvalidRequest
from shared.solid.mesh import Solid
from shared.solid.opening import open_solid

NOTHING = "There is no solid yet. Make one under Make first."


def given(made: Any, mesh: str | None) -> Solid:
    """The mesh that was sent, or the last solid. Raises `InvalidRequest` where there is neither."""
    if mesh:
        return open_solid(mesh)
    if made is None:
        raise InvalidRequest(f"{NOTHING} Or add a mesh of yours.")
    solid: Solid = made.finished.solid
    return solid
