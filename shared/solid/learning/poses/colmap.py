"""Reads COLMAP's model of a scene, as text or binary: cameras, pictures, and places that several pictures show.

The format: https://colmap.github.io/format.html. Its cameras look along z, with y downwards.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.errors import InvalidRequest
from shared.solid.learning.poses.posed import Lens, Posed, Told

PARTS = ("cameras", "images", "points3D")
_DAMAGED = "COLMAP's {part} file is damaged, or of another kind. Export the model again."
_OVER = (1.0, -1.0, -1.0)
_MOST_CAMERAS, MOST_POINTS = 10_000, 200_000


@dataclass(frozen=True)
class _Model:
    """A camera model: how many numbers it has, how many of them are focal lengths, and how many of k1, k2, p1, p2."""

    name: str
    count: int
    focal: int
    bent: int = 0


# By COLMAP's numbers. Fisheye lenses and those with more terms aren't read.
_MODELS = {
    0: _Model("SIMPLE_PINHOLE", 3, 1),
    1: _Model("PINHOLE", 4, 2),
    2: _Model("SIMPLE_RADIAL", 4, 1, 1),
    3: _Model("RADIAL", 5, 1, 2),
    4: _Model("OPENCV", 8, 2, 4),
}
_BY_NAME = {model.name: model for model in _MODELS.values()}


def read(files: Mapping[str, bytes], binary: bool, most: int) -> Told:
    """The model in the files by the names of `PARTS`; the last may be missing. Raises `InvalidRequest`."""
    readers = _Binary if binary else _Text
    try:
        part = "cameras"
        lenses = readers.cameras(files["cameras"])
        part = "images"
        posed = readers.images(files["images"], lenses, most)
        part = "points3D"
        points, colours = readers.points(files["points3D"]) if "points3D" in files else (None, None)
    except (struct.error, ValueError, KeyError, IndexError, ArithmeticError):
        raise InvalidRequest(_DAMAGED.format(part=part)) from None
    return Told(posed=posed, points=points, colours=colours)


def _lens(model: _Model | None, name: Any, wide: float, high: float, numbers: list[float]) -> Lens:
    if model is None:
        known = ", ".join(_BY_NAME)
        raise InvalidRequest(
            f"COLMAP's camera model {str(name)[:40]} isn't read here, but {known}. Run its image undistorter first."
        )
    if len(numbers) != model.count:
        raise ValueError("numbers")
    focal, rest = numbers[: model.focal], numbers[model.focal :]
    bent = (rest[2:] + [0.0] * 4)[:4]
    return Lens(
        wide=wide, high=high, focal=(focal[0], focal[-1]), middle=(rest[0], rest[1]),
        bent=(bent[0], bent[1], bent[2], bent[3]),
    )  # fmt: skip


def _posed(name: str, lens: Lens, quaternion: list[float], shift: list[float]) -> Posed:
    import numpy

    w, x, y, z = numpy.array(quaternion) / max(float(numpy.linalg.norm(quaternion)), 1e-12)
    turn = numpy.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
    over = numpy.array(_OVER)
    return Posed(name=name, lens=lens, turn=turn * over[:, None], shift=numpy.array(shift) * over)


def _too_many(count: int, most: int) -> None:
    if count > most:
        raise InvalidRequest(f"COLMAP's model has {count:,} pictures; {most:,} are taken here. Thin it out.")


class _Text:
    """The text format: lines of words, with # before comments."""

    @staticmethod
    def _lines(data: bytes) -> list[str]:
        return [line for line in data.decode("utf-8").splitlines() if not line.startswith("#")]

    @classmethod
    def cameras(cls, data: bytes) -> dict[int, Lens]:
        """The lenses by their numbers."""
        found = {}
        for line in filter(str.strip, cls._lines(data)):
            number, name, wide, high, *numbers = line.split()
            lens = _lens(_BY_NAME.get(name), name, float(wide), float(high), [float(each) for each in numbers])
            found[int(number)] = lens
        return found

    @classmethod
    def images(cls, data: bytes, lenses: Mapping[int, Lens], most: int) -> list[Posed]:
        """The pictures. Every second line holds the points seen, and may be empty."""
        lines = cls._lines(data)
        while lines and not lines[0].strip():
            lines.pop(0)
        _too_many(len(lines[::2]), most)
        found = []
        for line in lines[::2]:
            _, *numbers, camera, name = line.split(maxsplit=9)
            values = [float(each) for each in numbers]
            found.append(_posed(name.strip(), lenses[int(camera)], values[:4], values[4:7]))
        return found

    @classmethod
    def points(cls, data: bytes) -> tuple[Any, Any]:
        """The places and their colours."""
        import numpy

        rows = [line.split(maxsplit=7)[1:7] for line in filter(str.strip, cls._lines(data))][:MOST_POINTS]
        table = numpy.array(rows, float).reshape(-1, 6)
        return table[:, :3], table[:, 3:] / 255


class _Binary:
    """The binary format: little-endian numbers, counts before what they count."""

    @staticmethod
    def cameras(data: bytes) -> dict[int, Lens]:
        """The lenses by their numbers."""
        (count,) = struct.unpack_from("<Q", data)
        at, found = 8, {}
        if count > _MOST_CAMERAS:
            raise ValueError("count")
        for _ in range(count):
            number, kind, wide, high = struct.unpack_from("<iiQQ", data, at)
            model = _MODELS.get(kind)
            numbers = list(struct.unpack_from(f"<{model.count if model else 0}d", data, at + 24))
            found[number] = _lens(model, kind, float(wide), float(high), numbers)
            at += 24 + 8 * len(numbers)
        return found

    @staticmethod
    def images(data: bytes, lenses: Mapping[int, Lens], most: int) -> list[Posed]:
        """The pictures."""
        (count,) = struct.unpack_from("<Q", data)
        _too_many(count, most)
        at, found = 8, []
        for _ in range(count):
            _, *numbers, camera = struct.unpack_from("<i7di", data, at)
            end = data.index(b"\0", at + 64)
            (seen,) = struct.unpack_from("<Q", data, end + 1)
            found.append(_posed(data[at + 64 : end].decode("utf-8"), lenses[camera], numbers[:4], numbers[4:]))
            at = end + 9 + 24 * seen
        return found

    @staticmethod
    def points(data: bytes) -> tuple[Any, Any]:
        """The places and their colours."""
        import numpy

        (count,) = struct.unpack_from("<Q", data)
        at, places, colours = 8, [], []
        for _ in range(min(count, MOST_POINTS)):
            _, x, y, z, red, green, blue, _, seen = struct.unpack_from("<Q3d3BdQ", data, at)
            places.append((x, y, z))
            colours.append((red, green, blue))
            at += 51 + 8 * seen
        return numpy.array(places, float).reshape(-1, 3), numpy.array(colours, float).reshape(-1, 3) / 255
