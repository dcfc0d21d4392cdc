"""Where a sound is, at each moment: in degrees and metres around the listener's head.

Directions are those of AES69 (SOFA) and of Ambisonics: azimuth 0 is in front, 90 left; elevation 90 is above.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from shared.errors import InvalidRequest

NEAREST, FARTHEST = 0.2, 50.0  # metres
MOST_KNOTS = 2000


@dataclass(frozen=True)
class Place:
    """A direction in degrees, and a distance in metres."""

    azimuth: float = 0.0
    elevation: float = 0.0
    distance: float = 1.0

    def checked(self) -> Place:
        """Itself. Raises `InvalidRequest` for what is no place around a head."""
        numbers = (self.azimuth, self.elevation, self.distance)
        if not all(isinstance(n, int | float) and math.isfinite(n) for n in numbers):
            raise InvalidRequest("A place is three numbers: azimuth and elevation in degrees, distance in metres.")
        if abs(self.azimuth) > 36000 or not -90 <= self.elevation <= 90:
            raise InvalidRequest("Azimuth is in degrees, elevation from -90 (below) to 90 (above).")
        if not NEAREST <= self.distance <= FARTHEST:
            raise InvalidRequest(f"A sound can be {NEAREST} to {FARTHEST:g} metres away.")
        return self


@dataclass(frozen=True)
class Course:
    """Places at moments, each moment a share of the whole, 0 to 1, in order; between two it moves evenly."""

    knots: tuple[tuple[float, Place], ...]

    @property
    def moves(self) -> bool:
        """Whether it is ever somewhere else."""
        return len({place for _, place in self.knots}) > 1

    def at(self, shares: Any) -> tuple[Any, Any, Any]:
        """Azimuth, elevation (degrees) and distance (metres) at those shares of the whole, each shaped as `shares`."""
        import numpy

        when = [moment for moment, _ in self.knots]
        rows = zip(*((p.azimuth, p.elevation, p.distance) for _, p in self.knots), strict=True)
        azimuth, elevation, distance = (numpy.interp(shares, when, row) for row in rows)
        return azimuth, elevation, distance


def still(place: Place) -> Course:
    """One place throughout. Raises `InvalidRequest` for what is none."""
    return Course(((0.0, place.checked()),))


def along(places: Sequence[Place]) -> Course:
    """From place to place, in equal times, the shorter way round. Raises `InvalidRequest`."""
    if not 0 < len(places) <= MOST_KNOTS:
        raise InvalidRequest(f"A path has 1 to {MOST_KNOTS} places; this one has {len(places)}.")
    knots: list[tuple[float, Place]] = []
    for number, place in enumerate(places):
        azimuth = place.checked().azimuth
        if knots:
            before = knots[-1][1].azimuth
            azimuth = before + (azimuth - before + 180) % 360 - 180
        share = number / max(len(places) - 1, 1)
        knots.append((share, Place(azimuth, place.elevation, place.distance)))
    return Course(tuple(knots))


def drawn(points: Sequence[tuple[float, float]], elevation: float = 0.0) -> Course:
    """A path drawn on a map: metres to the right of the listener and in front. Raises `InvalidRequest`."""
    places = []
    for right, front in points:
        distance = math.hypot(right, front)
        azimuth = math.degrees(math.atan2(-right, front)) if distance else 0.0
        places.append(Place(azimuth, elevation, min(max(distance, NEAREST), FARTHEST)))
    return along(places)


@cache
def moves() -> dict[str, tuple[str, Course]]:
    """The moves that come with the playground: name -> (what a person calls it, the path)."""
    rows = tomllib.loads(Path(__file__).with_name("moves.toml").read_text(encoding="utf-8"))
    return {
        name: (row["name"], Course(tuple((knot[0], Place(*knot[1:])) for knot in row["knots"])))
        for name, row in rows.items()
    }
