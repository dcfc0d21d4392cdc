"""Learns a scene while it is watched: views that it never saw, and how near they are to what they should be."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from shared.solid.learning.cameras import Camera
from shared.solid.learning.views import SIDE, Taken, Views, psnr

if TYPE_CHECKING:
    from PIL.Image import Image

SHOWN = 0.7  # seconds between two tellings
_SHOWN_SIDE = 168  # pixels a picture on the screen


class Scene(Protocol):
    """What can be learned from views, one step at a time."""

    @property
    def size(self) -> int:
        """How many numbers are learned."""

    def learn(self, views: Views, number: int) -> float:
        """One step, by one of the views; the loss."""

    def seen(self, camera: Camera, side: int) -> Any:
        """A picture (side, side, 3) float32."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of scene: its label, where its class is, and the sizes that are of use.

    `count`: of splats or, where there are no `splats`, how wide the network is; `most`: of that. `side`: of the
    pictures, in pixels. `check`: what raises where it can't be learned here.
    """

    label: str
    path: str
    count: int
    most: int
    steps: int
    side: int = SIDE
    splats: bool = True
    check: str = ""


_HERE = "shared.solid.learning"
KINDS: Mapping[str, Kind] = {
    "splats": Kind(label="Gaussian splats", path=f"{_HERE}.splatting:SplatScene", count=400, most=1200, steps=150),
    "gsplat": Kind(
        label="Gaussian splats by gsplat (NVIDIA GPU)", path=f"{_HERE}.gpu:GsplatScene", count=20_000, most=200_000,
        steps=2000, side=256, check=f"{_HERE}.gpu:check",
    ),
    "field": Kind(label="Radiance field (NeRF)", path=f"{_HERE}.radiance:RadianceScene", count=64, most=256, steps=300,
        splats=False),
}  # fmt: skip


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


def check(kind: str) -> None:
    """Raise what says why that kind can't be learned here."""
    if KINDS[kind].check:
        _named(KINDS[kind].check)()


def learning(taken: Taken, kind: str, count: int, steps: int, seed: int = 0) -> Iterator[Learned]:
    """Learn, telling at least each second and at the end. `count`: of splats, or how wide the field's network is.

    Raises what says why that kind can't be learned here.
    """
    import numpy

    from shared.backends.local.threads import share_cores

    check(kind)
    share_cores()
    known: dict[str, Any] = {"taken": taken} if KINDS[kind].splats else {}
    scene: Scene = _named(KINDS[kind].path)(count, seed, **known)
    noise = numpy.random.default_rng(seed)
    began = told = time.monotonic()
    for step in range(1, steps + 1):
        scene.learn(taken.seen, int(noise.integers(len(taken.seen.cameras))))
        now = time.monotonic()
        if now - told > SHOWN or step in (1, steps):
            yield _told(scene, taken.unseen, step, steps, now - began)
            told = time.monotonic()


def _named(path: str) -> Callable[..., Any]:
    module, _, name = path.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), name)
    return found


def _told(scene: Scene, unseen: Views, step: int, steps: int, seconds: float) -> Learned:
    import numpy
    from PIL import Image

    side = unseen.pictures.shape[1]
    seen = numpy.stack([scene.seen(camera, side) for camera in unseen.cameras])
    rows = [numpy.concatenate(list(row), axis=1) for row in (unseen.pictures, seen)]
    pixels = (numpy.concatenate(rows).clip(0, 1) * 255).astype(numpy.uint8)
    picture = Image.fromarray(pixels).resize(
        (_SHOWN_SIDE * len(unseen.cameras), 2 * _SHOWN_SIDE), Image.Resampling.BICUBIC
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
