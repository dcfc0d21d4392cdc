"""A dropped clip's settings, put back on the screen."""

from __future__ import annotations

from typing import Any

from shared.ui.restoring import RestoreBox, Restored, shown
from shared.ui.video.settings_panel import NAMES
from shared.video.exporting import KINDS
from shared.video.restoring import restore


def clip_restore() -> RestoreBox:
    """The box for clips: it sets the further shots and the camera, then the settings."""
    endings = tuple(kind.suffix for kind in KINDS.values())
    return RestoreBox("restore", "a clip", "A clip made here: MP4, WebM, GIF", endings, _read)


def _read(data: bytes) -> Restored:
    found = restore(data)
    size = f"{found.width}x{found.height}" if found.width and found.height else ""
    duration = found.duration
    if duration is None and found.num_frames and found.fps:
        duration = round(found.num_frames / found.fps, 3)
    text: dict[str, Any] = {"size": size, "duration": shown(duration)}
    values = [text[name] if name in text else shown(getattr(found, name)) for name in NAMES]
    shots = "\n".join(f"{shot.start:g}: {shot.prompt}" for shot in found.shots)
    return Restored(found.prompt, found.model or "", [shots, found.camera or "", *values], found.ignored)
