"""A dropped sound effect's settings, put back on the screen."""

from __future__ import annotations

from shared.music.restoring import restore
from shared.ui.audio.sound_settings import NAMES
from shared.ui.restoring import SOUNDS, RestoreBox, Restored, shown


def sound_restore() -> RestoreBox:
    """The box for sounds, whose files say what music's say."""
    return RestoreBox("sounds-restore", "a sound", "A sound made here: WAV, FLAC, MP3, Ogg", SOUNDS, _read)


def _read(data: bytes) -> Restored:
    found = restore(data)
    return Restored(found.prompt, found.model or "", [shown(getattr(found, name)) for name in NAMES], found.ignored)
