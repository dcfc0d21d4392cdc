"""A turntable: a clip of a solid that turns once around its upright axis."""

from __future__ import annotations

from collections.abc import Callable

from shared.solid.measuring import figures
from shared.solid.mesh import Solid
from shared.solid.rendering import View, drawn
from shared.video.encoding import Encoder

FRAMES, FPS = 36, 18


def turntable(
    solid: Solid, style: str = "textured", side: int = 256, step: Callable[[int, int], None] = lambda done, of: None
) -> bytes:
    """The clip as MP4. `step` is told how many of the frames are drawn; what it raises ends the work."""
    encoder, closed = Encoder(FPS), bool(figures(solid)["watertight"])
    try:
        for number in range(FRAMES):
            step(number, FRAMES)
            encoder.add(drawn(solid, View(turn=360 * number / FRAMES, tilt=12), side, style, closed=closed))
    finally:
        encoder.close()
    return encoder.finish()
