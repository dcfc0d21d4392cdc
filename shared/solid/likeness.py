"""How well a solid shows what was asked for, from all sides: CLIP scores of pictures of it.

Seen from one side only, a lift scores like its picture; from behind and beside it shows what geometry made up.
"""

from __future__ import annotations

from shared.events import Progress
from shared.image.measuring import clip
from shared.media.opening import to_part
from shared.settings import Settings
from shared.solid.mesh import Solid
from shared.solid.rendering import View, drawn
from shared.streaming import Emit

TURNS = (0, 45, 90, 135, 180, 225, 270, 315)  # degrees around the upright axis
_SIDE, _TILT = 224, 10.0


def from_all_sides(solid: Solid, words: str, model: str, settings: Settings, emit: Emit) -> list[tuple[int, float]]:
    """Each turn with its CLIP score (0 to 100). `model`: a Hub id or a folder. Raises what `clip.load` raises."""
    emit(Progress("Loading CLIP"))
    loaded = clip.load(model, settings, emit)
    pictures = []
    for number, turn in enumerate(TURNS):
        emit(Progress("Drawing", number, len(TURNS)))
        pictures.append(to_part(drawn(solid, View(turn=turn, tilt=_TILT), _SIDE)))
    emit(Progress("Looking"))
    scores = clip.score(loaded.pictures(pictures, emit), loaded.words(words))
    return list(zip(TURNS, scores, strict=True))
