"""Opens pictures that a person took of a scene, with where each was taken from, as one zip file.

Of their cameras COLMAP's model is read, or `transforms.json`. The scene is turned upright as the cameras were held, and
brought into a ball of radius 1 around what they look at, as wide as they see.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

from shared.errors import InvalidRequest
from shared.media.archive import Archive
from shared.media.opening import open_picture
from shared.solid.learning.cameras import Camera
from shared.solid.learning.photographs import squared
from shared.solid.learning.poses import colmap, transforms
from shared.solid.learning.poses.posed import Posed, Told
from shared.solid.learning.views import HELD_OUT, SIDE, Taken, Views

FEWEST, MOST, MOST_NAMED = 6, 64, 2000  # pictures that are needed, that are learned from, and that a file may name
_POSES = 60_000_000  # bytes of a file with cameras or places
_TRANSFORMS = ("transforms.json", "transforms_train.json")
_PICTURES = 20_000_000  # bytes of a picture
NEEDED = (
    "What is needed: a zip of the pictures and of their cameras: transforms.json (NeRF, nerfstudio, many apps), or "
    "COLMAP's cameras, images and points3D, as .bin or .txt."
)


def open_capture(source: str | Path, side: int = SIDE) -> Taken:
    """What is in the zip file, in pictures of that side. Raises `InvalidRequest` for what is none, or can't be used."""
    archive = Archive(source)
    try:
        told = _poses(archive)
        pictures_of = _Pictures(archive.names)
        found = [(posed, name) for posed in told.posed if (name := pictures_of.named(posed.name))]
        if len(found) < FEWEST:
            raise InvalidRequest(
                f"Of {len(told.posed)} pictures that the cameras' file names, {len(found)} are in the zip file, and "
                f"{FEWEST} are needed at least. {NEEDED}"
            )
        found = _spread(found, MOST)
        pictures, lenses = [], []
        for posed, name in found:
            pixels, focal, middle = squared(open_picture(archive.read(name, _PICTURES)), posed.lens, side)
            pictures.append(pixels)
            lenses.append((focal, middle))
    finally:
        archive.close()
    return _taken(told, [posed for posed, _ in found], pictures, lenses)


def _poses(archive: Archive) -> Told:
    """Of the cameras' file that lies least deep. Raises `InvalidRequest` where there is none."""
    by_depth = sorted(archive.names, key=lambda name: (name.count("/"), name))
    for wanted in _TRANSFORMS:
        for name in by_depth:
            if PurePosixPath(name).name == wanted:
                return transforms.read(archive.read(name, _POSES), MOST_NAMED)
    for name in by_depth:
        folder, ending = PurePosixPath(name).parent, PurePosixPath(name).suffix
        beside = {part: str(folder / f"{part}{ending}") for part in colmap.PARTS}
        if PurePosixPath(name).stem == "cameras" and ending in (".bin", ".txt") and beside["images"] in archive.names:
            files = {part: archive.read(path, _POSES) for part, path in beside.items() if path in archive.names}
            return colmap.read(files, ending == ".bin", MOST_NAMED)
    raise InvalidRequest(f"{archive.name} names no cameras. {NEEDED}")


class _Pictures:
    """The files of a zip by their last names, with and without their endings."""

    def __init__(self, names: list[str]) -> None:
        self._by_last: dict[str, list[str]] = {}
        for name in sorted(names, key=len):
            for last in {PurePosixPath(name).name, PurePosixPath(name).stem}:
                self._by_last.setdefault(last, []).append(name)

    def named(self, wanted: str) -> str | None:
        """The file that is meant: whose path ends so, with any ending where none is named."""
        parts = [part for part in PurePosixPath(wanted.replace("\\", "/")).parts if part not in (".", "..", "/")]
        if not parts:
            return None
        before = tuple(parts[:-1])
        for name in self._by_last.get(parts[-1], []):
            if not before or PurePosixPath(name).parts[-len(parts) : -1] == before:
                return name
        return None


def _spread(found: list[Any], most: int) -> list[Any]:
    """At most that many of them, evenly."""
    if len(found) <= most:
        return found
    return [found[round(number * (len(found) - 1) / (most - 1))] for number in range(most)]


def _taken(told: Told, posed: list[Posed], pictures: list[Any], lenses: list[Any]) -> Taken:
    import numpy

    middle, radius = _ball(posed, lenses)
    upright = _upright(posed)  # its rows are our axes in the scene's
    cameras = [
        Camera(
            turn=(each.turn @ upright.T).astype(numpy.float32),
            shift=((each.turn @ middle + each.shift) / radius).astype(numpy.float32),
            focal=focal,
            middle=centre,
            perspective=True,
        )
        for each, (focal, centre) in zip(posed, lenses, strict=True)
    ]
    points = colours = None
    if told.points is not None and len(told.points):
        sound = numpy.isfinite(told.points).all(axis=1) & (abs(told.points) < 1e9).all(axis=1)
        points = ((told.points[sound] - middle) @ upright.T / radius).astype(numpy.float32)
        colours = told.colours[sound].clip(0, 1).astype(numpy.float32)
    held = min(HELD_OUT, len(cameras) // 3)
    kept_back = {round((number + 0.5) * len(cameras) / held) % len(cameras) for number in range(held)}
    parts = []
    for wanted in (False, True):
        chosen = [number for number in range(len(cameras)) if (number in kept_back) == wanted]
        parts.append(Views(pictures=numpy.stack([pictures[n] for n in chosen]), cameras=[cameras[n] for n in chosen]))
    return Taken(seen=parts[0], unseen=parts[1], points=points, colours=colours)


def _ball(posed: list[Posed], lenses: list[Any]) -> tuple[Any, float]:
    """The middle of what the cameras look at, which is nearest to all their axes, and how far around it they see."""
    import numpy

    places = numpy.stack([-each.turn.T @ each.shift for each in posed])
    ahead = numpy.stack([-each.turn[2] for each in posed])
    apart = float(numpy.linalg.norm(places - places.mean(axis=0), axis=1).mean())
    if apart < 1e-6 * (1e-3 + float(abs(places).max())):
        raise InvalidRequest("The cameras all stand at one place. Take the pictures from around the thing.")
    beside = numpy.eye(3) - ahead[:, :, None] * ahead[:, None, :]
    weak = 1e-3 * len(posed)  # where all look the same way their axes meet nowhere: then it lies before them
    usual = places.mean(axis=0) + ahead.mean(axis=0) * 2 * apart
    middle = numpy.linalg.solve(
        beside.sum(axis=0) + weak * numpy.eye(3), (beside @ places[:, :, None]).sum(axis=0)[:, 0] + weak * usual
    )
    far = numpy.linalg.norm(places - middle, axis=1)
    wide = numpy.array([1 / max(focal) for focal, _ in lenses])
    return middle, float(numpy.median(far * wide))


def _upright(posed: list[Posed]) -> Any:
    """The turn (3, 3) that makes what is upright to the cameras y, and brings the first of them before the scene."""
    import numpy

    up = numpy.stack([each.turn[1] for each in posed]).mean(axis=0)
    if numpy.linalg.norm(up) < 0.1:
        up = posed[0].turn[1]
    up = up / numpy.linalg.norm(up)
    near = posed[0].turn[2] - up * (posed[0].turn[2] @ up)  # towards the first camera
    if numpy.linalg.norm(near) < 1e-3:
        near = posed[0].turn[0] - up * (posed[0].turn[0] @ up)
    near = near / numpy.linalg.norm(near)
    return numpy.stack([numpy.cross(up, near), up, near])
