"""Learns a scene while it is watched: views that it never saw, and how near they are to what they should be."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from shared.solid.learning.views import HELD_OUT, SEEN, Views, around, psnr
from shared.solid.mesh import Solid

if TYPE_CHECKING:
    from PIL.Image import Image

KINDS = {"splats": "Gaussian splats", "field": "Radiance field (NeRF)"}
SHOWN = 0.7  # seconds between two tellings
_SHOWN_SIDE = 168  # pixels a picture on the screen


class Scene(Protocol):
    """What can be learned from views, one step at a time."""

    @property
    def size(self) -> int:
        """How many numbers are learned."""

    def learn(self, views: Views, number: int) -> float:
        """One step, by one of the views; the loss."""

    def seen(self, turn: Any, side: int) -> Any:
        """A picture (side, side, 3) float32."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Learned:
    """How far it is: `step` of `steps`, `seconds`; `picture`: above what it should be, below what it is; `decibels`:
    its PSNR on views that it never saw; `size`: how many numbers are learned."""

    step: int
    steps: int
    seconds: float
    picture: Image
    decibels: float
    size: int
    scene: Scene


def learning(solid: Solid, kind: str, count: int, steps: int, seed: int = 0) -> Iterator[Learned]:
    """Learn, telling at least each second and at the end. `count`: of splats, or how wide the field's network is."""
    import numpy

    from shared.backends.local.threads import share_cores

    share_cores()
    views, unseen = around(solid, SEEN), around(solid, HELD_OUT, start=17.0)
    scene = _new(kind, count, seed)
    noise = numpy.random.default_rng(seed)
    began = told = time.monotonic()
    for step in range(1, steps + 1):
        scene.learn(views, int(noise.integers(SEEN)))
        now = time.monotonic()
        if now - told > SHOWN or step in (1, steps):
            yield _told(scene, unseen, step, steps, now - began)
            told = time.monotonic()


def _new(kind: str, count: int, seed: int) -> Scene:
    if kind == "splats":
        from shared.solid.learning.splatting import SplatScene

        return SplatScene(count, seed)
    from shared.solid.learning.radiance import RadianceScene

    return RadianceScene(count, seed)


def _told(scene: Scene, unseen: Views, step: int, steps: int, seconds: float) -> Learned:
    import numpy
    from PIL import Image

    side = unseen.pictures.shape[1]
    seen = numpy.stack([scene.seen(turn, side) for turn in unseen.turns])
    rows = [numpy.concatenate(list(row), axis=1) for row in (unseen.pictures, seen)]
    pixels = (numpy.concatenate(rows).clip(0, 1) * 255).astype(numpy.uint8)
    picture = Image.fromarray(pixels).resize(
        (_SHOWN_SIDE * len(unseen.turns), 2 * _SHOWN_SIDE), Image.Resampling.BICUBIC
    )
    return Learned(
        step=step,
        steps=steps,
        seconds=seconds,
        picture=picture,
        decibels=psnr(seen, unseen.pictures),
        size=scene.size,
        scene=scene,
    )
