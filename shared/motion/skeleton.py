"""A skeleton that moves: bones of constant length, fitted to places that its joints had.

The joints are the first 22 of SMPL's (Loper et al., "SMPL: A Skinned Multi-Person Linear Model", 2015), as HumanML3D
uses them. Metres; y is up, z is ahead at the beginning, x is to the person's left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

# name, parent, and where the bone from the parent points in a body at rest, with its arms stretched out
JOINTS: tuple[tuple[str, int, tuple[float, float, float]], ...] = (
    ("pelvis", -1, (0, 0, 0)),
    ("left_hip", 0, (0.6, -0.8, 0)),
    ("right_hip", 0, (-0.6, -0.8, 0)),
    ("spine1", 0, (0, 1, 0)),
    ("left_knee", 1, (0, -1, 0)),
    ("right_knee", 2, (0, -1, 0)),
    ("spine2", 3, (0, 1, 0)),
    ("left_ankle", 4, (0, -1, 0)),
    ("right_ankle", 5, (0, -1, 0)),
    ("spine3", 6, (0, 1, 0)),
    ("left_foot", 7, (0, -0.4, 0.9)),
    ("right_foot", 8, (0, -0.4, 0.9)),
    ("neck", 9, (0, 1, 0)),
    ("left_collar", 9, (0.6, 0.8, 0)),
    ("right_collar", 9, (-0.6, 0.8, 0)),
    ("head", 12, (0, 1, 0)),
    ("left_shoulder", 13, (1, 0, 0)),
    ("right_shoulder", 14, (-1, 0, 0)),
    ("left_elbow", 16, (1, 0, 0)),
    ("right_elbow", 17, (-1, 0, 0)),
    ("left_wrist", 18, (1, 0, 0)),
    ("right_wrist", 19, (-1, 0, 0)),
)
NAMES = tuple(name for name, _, _ in JOINTS)
PARENTS = tuple(parent for _, parent, _ in JOINTS)


@dataclass(frozen=True, kw_only=True, eq=False)
class Motion:
    """`offsets` (joints, 3): each joint seen from its parent at rest. `rotations` (frames, joints, 3, 3): each joint's
    turn within its parent's. `path` (frames, 3): where the root is. Every parent stands before its children."""

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: Any
    rotations: Any
    path: Any
    fps: float

    def __len__(self) -> int:
        """How many frames."""
        return len(self.path)

    @property
    def seconds(self) -> float:
        """How long it goes on."""
        return len(self) / self.fps

    def places(self) -> Any:
        """Where each joint is, by forward kinematics: float64 (frames, joints, 3)."""
        import numpy

        turned, places = numpy.array(self.rotations, dtype=float), numpy.empty((len(self), len(self.parents), 3))
        for joint, parent in enumerate(self.parents):
            if parent < 0:
                places[:, joint] = self.path
                continue
            places[:, joint] = places[:, parent] + turned[:, parent] @ self.offsets[joint]
            turned[:, joint] = turned[:, parent] @ turned[:, joint]
        return places


def fitted(places: Any, fps: float) -> Motion:
    """The motion of a skeleton whose bones are as long as they were on average, through places (frames, 22, 3).

    A joint with several children turns as fits all of them best (Kabsch 1976); one with a single child by the shortest
    way, so that nothing twists that the places say nothing of.
    """
    import numpy

    places = numpy.asarray(places, dtype=float)
    frames, count = places.shape[:2]
    offsets, local = numpy.zeros((count, 3)), numpy.tile(numpy.eye(3), (frames, count, 1, 1))
    world = local.copy()
    for joint, parent in enumerate(PARENTS):
        children = [child for child, of in enumerate(PARENTS) if of == joint]
        above = world[:, parent] if parent >= 0 else numpy.tile(numpy.eye(3), (frames, 1, 1))
        if children:
            seen = numpy.einsum("fji,fcj->fci", above, places[:, children] - places[:, [joint]])  # within the parent
            offsets[children] = _rest(seen, [JOINTS[child][2] for child in children])
            local[:, joint] = numpy.stack([_turn(offsets[children], frame) for frame in seen])
        world[:, joint] = above @ local[:, joint]
    return Motion(names=NAMES, parents=PARENTS, offsets=offsets, rotations=local, path=places[:, 0], fps=fps)


def _rest(seen: Any, directions: Sequence[tuple[float, float, float]]) -> Any:
    """Offsets (children, 3): the mean shape that the children keep to each other, turned as a body at rest has them."""
    import numpy

    lengths = numpy.linalg.norm(seen, axis=2).mean(axis=0)[:, None]
    ways = numpy.array(directions, dtype=float)
    rest = ways / numpy.linalg.norm(ways, axis=1)[:, None] * lengths
    if len(rest) == 1:
        return rest
    mean = seen[0]
    for _ in range(2):
        mean = numpy.mean([frame @ _turn(frame, mean).T for frame in seen], axis=0)
    return mean @ _turn(mean, rest).T


def _turn(of: Any, onto: Any) -> Any:
    """The rotation (3, 3) that brings vectors (n, 3) best onto others."""
    import numpy

    if len(of) == 1:
        return _shortest(of[0], onto[0])
    u, _, v = numpy.linalg.svd(onto.T @ of)
    return u @ numpy.diag([1.0, 1.0, numpy.sign(numpy.linalg.det(u @ v))]) @ v


def _shortest(a: Any, b: Any) -> Any:
    """The rotation by the smallest angle from one vector's direction to another's (Rodrigues)."""
    import numpy

    a, b = a / max(numpy.linalg.norm(a), 1e-9), b / max(numpy.linalg.norm(b), 1e-9)
    axis, cosine = numpy.cross(a, b), float(a @ b)
    if cosine < -0.999999:  # opposite: half a turn about anything upright on it
        upright = numpy.cross(a, numpy.eye(3)[numpy.abs(a).argmin()])
        upright /= numpy.linalg.norm(upright)
        return 2 * numpy.outer(upright, upright) - numpy.eye(3)
    x, y, z = axis
    cross = numpy.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return numpy.eye(3) + cross + cross @ cross / (1 + cosine)
