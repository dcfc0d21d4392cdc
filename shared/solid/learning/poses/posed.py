"""Where a picture was taken from and by what lens, as the files of other programs tell it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from shared.errors import InvalidRequest

_MOST_PIXELS = 100_000
_OFF = 1e-3  # how far a turn's rows may be from unit length and right angles


@dataclass(frozen=True, kw_only=True)
class Lens:
    """In pixels of a picture `wide` and `high`, from its upper left corner; `bent`: k1, k2, p1 and p2 of OpenCV."""

    wide: float
    high: float
    focal: tuple[float, float]
    middle: tuple[float, float]
    bent: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        """Raise `InvalidRequest` for what is no lens."""
        numbers = (self.wide, self.high, *self.focal, *self.middle, *self.bent)
        sizes = all(1 <= each <= _MOST_PIXELS for each in (self.wide, self.high))
        if not all(map(math.isfinite, numbers)) or not sizes or min(self.focal) <= 0:
            raise InvalidRequest("A lens has a size or a focal length that can't be. Export the cameras again.")


@dataclass(frozen=True, kw_only=True, eq=False)
class Posed:
    """A picture by the `name` that the file gives it. `turn` (3, 3) and `shift` (3) float64 bring the scene before the
    camera: x to the right, y up, -z ahead."""

    name: str
    lens: Lens
    turn: Any
    shift: Any

    def __post_init__(self) -> None:
        """Raise `InvalidRequest` for what is no place."""
        import numpy

        numbers = numpy.concatenate([self.turn.ravel(), self.shift.ravel()])
        if not numpy.isfinite(numbers).all() or abs(numbers).max() > 1e9:
            raise InvalidRequest(f"{self.name[:80]} was taken from no place. Export the cameras again.")
        if abs(self.turn @ self.turn.T - numpy.eye(3)).max() > _OFF or numpy.linalg.det(self.turn) < 0:
            raise InvalidRequest(f"The camera of {self.name[:80]} is bent or mirrored. Export the cameras again.")


@dataclass(frozen=True, kw_only=True, eq=False)
class Told:
    """All that a file tells: pictures, and places of the scene (n, 3) with their colours (n, 3), 0 to 1, or None."""

    posed: list[Posed]
    points: Any = None
    colours: Any = None
