"""A listener's head: what of a sound from a direction comes to each ear, by the measured table beside this file.

The table and where it comes from: kemar.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

RATE = 44100  # of the filters
_LOWEST, _UP, _ROUND = -40.0, 10.0, 5.0  # the first elevation, and the steps of the grid, in degrees


@dataclass(frozen=True)
class Head:
    """`filters` float32 (elevations, azimuths, 2 ears, taps); `delays` seconds (elevations, azimuths, 2)."""

    filters: Any
    delays: Any

    def filters_at(self, azimuth: Any, elevation: Any) -> Any:
        """The filters of the left and the right ear: (n, 2, taps) for n directions in degrees."""
        return self._mixed(self.filters, azimuth, elevation)

    def delays_at(self, azimuth: Any, elevation: Any) -> Any:
        """By how many seconds the sound comes later than at the earliest of all: (n, 2)."""
        return self._mixed(self.delays, azimuth, elevation)

    def _mixed(self, table: Any, azimuth: Any, elevation: Any) -> Any:
        """The table between its four nearest directions, by their shares. Lower than measured is as the lowest."""
        import numpy

        rows, columns = table.shape[:2]
        up = ((numpy.asarray(elevation) - _LOWEST) / _UP).clip(0, rows - 1)
        around = (numpy.asarray(azimuth) % 360) / _ROUND
        row = numpy.minimum(up.astype(int), rows - 2)
        column = around.astype(int) % columns
        shape = (-1, *[1] * (table.ndim - 2))
        higher, further = (up - row).reshape(shape), (around - around.astype(int)).reshape(shape)
        low, high = (
            table[r, column] * (1 - further) + table[r, (column + 1) % columns] * further for r in (row, row + 1)
        )
        return low * (1 - higher) + high * higher


@cache
def head() -> Head:
    """The table, read once: 8 MB."""
    import numpy
    from safetensors.numpy import load_file

    table = load_file(Path(__file__).with_name("kemar.safetensors"))
    return Head(table["filters"].astype(numpy.float32), table["delays"])
