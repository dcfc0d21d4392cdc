"""Where a picture of a scene was taken from, and how a place falls on it. Pictures are square."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

ZOOM = 0.98  # of pictures without perspective: see rendering.projected
NEAR = 0.05  # nothing nearer than that to a camera is seen


@dataclass(frozen=True, kw_only=True, eq=False)
class Camera:
    """`turn` (3, 3) and `shift` (3), float32, bring the scene before the camera: x to the right, y up, -z ahead.

    `focal`: across and up, in halves of the picture's side; `middle`: where it looks at, -1 to 1, across and up.
    Without `perspective` what is far is no smaller, and `focal` is how large a length of 1 is.
    """

    turn: Any
    shift: Any
    focal: tuple[float, float] = (ZOOM, ZOOM)
    middle: tuple[float, float] = (0.0, 0.0)
    perspective: bool = False

    @property
    def place(self) -> Any:
        """Where the camera stands (3)."""
        return -self.turn.T @ self.shift

    def rays(self, side: int) -> tuple[Any, Any]:
        """Of each pixel, row by row: a place (side², 3) on its line of sight, as far ahead as the scene's middle is,
        and the line's direction (side², 3), of length 1."""
        import numpy

        across, up = (each.reshape(-1) for each in numpy.meshgrid(*middles(side)))
        across, up = (across - self.middle[0]) / self.focal[0], (up - self.middle[1]) / self.focal[1]
        if not self.perspective:
            own = numpy.stack([across, up, numpy.zeros_like(up)], axis=1) - self.shift * (1, 1, 0)
            return own @ self.turn, numpy.broadcast_to(-self.turn[2], own.shape)
        ahead = numpy.stack([across, up, -numpy.ones_like(up)], axis=1) @ self.turn
        ahead /= numpy.linalg.norm(ahead, axis=1, keepdims=True)
        return self.place + ahead * float(numpy.linalg.norm(self.place)), ahead


def middles(side: int) -> tuple[Any, Any]:
    """The middles of a picture's pixels, -1 to 1: of its columns to the right, and of its rows upwards."""
    import numpy

    across = (numpy.arange(side) + 0.5) * 2 / side - 1
    return across, -across


def parallel(turn: Any) -> Camera:
    """A camera without perspective before the middle of the scene."""
    import numpy

    return Camera(turn=numpy.asarray(turn, numpy.float32), shift=numpy.zeros(3, numpy.float32))
