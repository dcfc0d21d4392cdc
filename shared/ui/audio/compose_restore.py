"""A dropped composition's settings, put back on the screen."""

from __future__ import annotations

from shared.music.restoring import restore
from shared.ui.audio.compose_settings import NAMES, SLIDERS
from shared.ui.restoring import SOUNDS, RestoreBox, Restored, shown


def compose_restore() -> RestoreBox:
    """The box for music."""
    label = "Music made here: MIDI, MusicXML, WAV, FLAC, MP3, Ogg"
    return RestoreBox("compose-restore", "music", label, (".mid", ".musicxml", *SOUNDS), _read)


def _read(data: bytes) -> Restored:
    found = restore(data)
    values = [
        shown(value) if name not in SLIDERS else SLIDERS[name][4] if value is None else value
        for name, value in ((name, getattr(found, name)) for name in NAMES)
    ]
    return Restored(found.prompt, found.model or "", values, found.ignored)
