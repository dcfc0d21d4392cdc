"""A dropped speech's settings, put back on the screen."""

from __future__ import annotations

from typing import Any

from shared.media.sound.restoring import RestoredSpeech, restore
from shared.ui.audio.settings_panel import NAMES, SLIDERS, write_speakers
from shared.ui.restoring import SOUNDS, RestoreBox, Restored


def speak_restore() -> RestoreBox:
    """The box for speech."""
    return RestoreBox("restore", "a sound", "A sound made here: WAV, FLAC, MP3, Ogg", SOUNDS, _read)


def _read(data: bytes) -> Restored:
    found = restore(data)
    return Restored(found.text, found.model or "", _values(found), found.ignored)


def _values(found: RestoredSpeech) -> list[Any]:
    """What each control gets, in the order of `NAMES`."""
    known: dict[str, Any] = {"speakers": write_speakers(found.speakers)}
    for name, row in SLIDERS.items():
        known[name] = row[4] if getattr(found, name) is None else getattr(found, name)
    for name in NAMES:
        value = known.setdefault(name, getattr(found, name, None))
        if name not in SLIDERS and name != "speakers":
            known[name] = "" if value is None else str(value)
    return [known[name] for name in NAMES]
