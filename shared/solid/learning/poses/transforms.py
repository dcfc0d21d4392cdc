"""Reads `transforms.json`, as NeRF's data sets and instant-ngp, nerfstudio and many apps write it.

Its matrices bring places before the camera into the scene: x to the right, y up, -z ahead, as here.
"""

from __future__ import annotations

import json
import math
from typing import Any

from shared.errors import InvalidRequest
from shared.solid.learning.poses.posed import Lens, Posed, Told

_NOT = "transforms.json is damaged, or of another kind: it needs `frames` with `file_path` and `transform_matrix`."
_FISHEYE = ("OPENCV_FISHEYE", "EQUIRECTANGULAR")
SIDE = 800.0  # pixels that a picture is taken to be wide and high where no size is told, as in NeRF's first data set


def read(data: bytes, most: int) -> Told:
    """The pictures, `most` at most. Raises `InvalidRequest`."""
    import numpy

    try:
        told = json.loads(data)
        frames = list(told["frames"])
        if len(frames) > most:
            raise InvalidRequest(
                f"transforms.json names {len(frames):,} pictures; {most:,} are taken here. Thin it out."
            )
        posed = []
        for frame in frames:
            matrix = numpy.array(frame["transform_matrix"], float).reshape(-1, 4)[:3]
            turn = matrix[:, :3].T
            posed.append(
                Posed(
                    name=str(frame["file_path"]), lens=_lens({**told, **frame}), turn=turn, shift=-turn @ matrix[:, 3]
                )
            )
        return Told(posed=posed)
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError, ArithmeticError):
        raise InvalidRequest(_NOT) from None


def _lens(told: dict[str, Any]) -> Lens:
    if told.get("camera_model") in _FISHEYE:
        raise InvalidRequest(f"Pictures of a {told['camera_model']} lens aren't read here. Undistort them first.")
    wide = float(told.get("w", SIDE))
    high = float(told.get("h", wide))
    across = _focal(told, "fl_x", "camera_angle_x", wide)
    up = _focal(told, "fl_y", "camera_angle_y", high) if "fl_y" in told or "camera_angle_y" in told else across
    return Lens(
        wide=wide,
        high=high,
        focal=(across, up),
        middle=(float(told.get("cx", wide / 2)), float(told.get("cy", high / 2))),
        bent=tuple(float(told.get(name, 0.0)) for name in ("k1", "k2", "p1", "p2")),  # type: ignore[arg-type]
    )


def _focal(told: dict[str, Any], name: str, angle: str, size: float) -> float:
    """In pixels, as it is told, or by the angle of view in radians."""
    return float(told[name]) if name in told else size / 2 / math.tan(float(told[angle]) / 2)
