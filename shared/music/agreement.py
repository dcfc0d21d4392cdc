"""Whether a piece is what was asked for, as far as that can be heard by machine."""

from __future__ import annotations

from typing import Any

from shared.music.features import density, heard_key, leap, on_beat
from shared.music.piece import Piece

_MINORS = frozenset({"minor", "dorian"})


def agreement(piece: Piece) -> dict[str, Any]:
    """Key and tonic as they are heard and whether they are those asked for; beats, notes a beat, leaps.

    Of no notes, nothing. A key agrees where tonic and major or minor do: other modes are hardly told by ear.
    """
    if not piece.melody:
        return {}
    heard = heard_key(piece.notes)
    same = heard.tonic == piece.key.tonic
    last = max(piece.notes, key=lambda note: (note.start, note.voice))
    return {
        "key": str(heard),
        "key_agrees": same and (heard.mode in _MINORS) == (piece.key.mode in _MINORS),
        "tonic_agrees": same,
        "ends_on_tonic": last.pitch % 12 == piece.key.tonic,
        "on_beat": round(on_beat(piece), 3),
        "notes_a_beat": round(density(piece), 2),
        "mean_leap": round(leap(piece), 2),
    }
