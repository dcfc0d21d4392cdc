"""A dropped solid's settings, put back on the screen."""

from __future__ import annotations

from shared.solid.restoring import restore
from shared.ui.restoring import RestoreBox, Restored
from shared.ui.solid.settings_panel import shown


def solid_restore() -> RestoreBox:
    """The box for solids."""
    return RestoreBox("restore", "a solid", "A solid made here: GLB, zipped OBJ, PLY", (".glb", ".zip", ".ply"), _read)


def _read(data: bytes) -> Restored:
    found = restore(data)
    return Restored(found.prompt, found.model or "", shown(found.values), found.ignored)
