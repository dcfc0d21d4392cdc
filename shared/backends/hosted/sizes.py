"""The size that a provider offers nearest to the one asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, floor, log, sqrt


@dataclass(frozen=True)
class Size:
    """Pixels, and the provider's own words for them: `name` ("16:9"), and `scale` ("2K") where it has any."""

    width: int
    height: int
    name: str
    scale: str = ""


@dataclass(frozen=True, kw_only=True)
class FreeSizes:
    """Any size whose sides are multiples of `multiple`, within these bounds (sides and areas in pixels)."""

    multiple: int = 1
    longest: int = 4096
    ratio: float = 16.0
    pixels: tuple[int, int] = (1, 2**24)

    def nearest(self, width: int, height: int) -> Size:
        """The size nearest to this one."""
        low, high = self.pixels
        wide, tall = min(float(width), height * self.ratio), min(float(height), width * self.ratio)
        area = wide * tall
        scale = min(sqrt(min(max(area, low), high) / area), self.longest / max(wide, tall))
        turn = ceil if area < low else floor if scale < 1 else round
        sides = [max(1, turn(round(side * scale / self.multiple, 6))) * self.multiple for side in (wide, tall)]
        short = sides.index(min(sides))
        while max(sides) > sides[short] * self.ratio:
            sides[short] += self.multiple
        return Size(sides[0], sides[1], f"{sides[0]}x{sides[1]}")


def nearest_listed(sizes: Mapping[str, str], scales: Mapping[str, float], width: int, height: int) -> Size:
    """The listed size with the nearest shape, and among those the nearest area.

    `sizes`: "1344x768" to the provider's name for it; `scales`: its names for larger ones to how many times.
    """
    offered = []
    for listed, name in sizes.items():
        wide, tall = map(int, listed.split("x"))
        for scale, times in (scales or {"": 1.0}).items():
            offered.append(Size(round(wide * times), round(tall * times), name, scale))

    def distance(size: Size) -> tuple[float, float]:
        shape = abs(log(size.width / size.height) - log(width / height))
        return round(shape, 2), abs(log(size.width * size.height) - log(width * height))

    return min(offered, key=distance)
