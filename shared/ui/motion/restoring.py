"""A dropped motion's settings, put back on the screen."""

from __future__ import annotations

import gradio as gr

from shared.motion.restoring import restore
from shared.ui.motion.settings import NAMES
from shared.ui.restoring import RestoreBox, Restored, shown


def motion_restore() -> RestoreBox:
    """The box for motions. It sets how long they are, and the settings in the order of `NAMES`."""
    return RestoreBox("motion-restore", "a motion", "A motion made here: animated GLB", (".glb",), _read)


def _read(data: bytes) -> Restored:
    found = restore(data)
    long = found.values.get("duration", gr.skip())
    values = [long, *(shown(found.values.get(name)) for name in NAMES)]
    return Restored(found.prompt, found.model or "", values, found.ignored)
