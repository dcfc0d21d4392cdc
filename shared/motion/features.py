"""HumanML3D's 263 numbers a frame, and the joints' places that they stand for.

Guo et al., "Generating Diverse and Natural 3D Human Motions from Text" (CVPR 2022): half the root's turn about
y a frame, its way in x and z a frame as seen by itself, its height, the other 21 joints as seen by the root, their
rotations in six numbers each, all 22 velocities, and four contacts of the feet. What follows the places isn't needed.
"""

from __future__ import annotations

from typing import Any

FEATURES, JOINTS, FPS = 263, 22, 20.0


def recovered(features: Any) -> Any:
    """Places of the joints (frames, 22, 3) in metres, of features (frames, 263) in their own units."""
    import numpy

    features = numpy.asarray(features, dtype=float)
    turn = 2 * _running(features[:, 0])
    way = numpy.zeros((len(features), 3))
    way[1:, 0], way[1:, 2] = features[:-1, 1], features[:-1, 2]
    root = numpy.cumsum(_turned(way, -turn), axis=0)
    root[:, 1] = features[:, 3]
    seen = features[:, 4 : 4 + 3 * (JOINTS - 1)].reshape(len(features), JOINTS - 1, 3)
    others = _turned(seen, -turn[:, None])
    others[..., [0, 2]] += root[:, None, [0, 2]]
    return numpy.concatenate([root[:, None], others], axis=1)


def _running(steps: Any) -> Any:
    """The sum of the steps before each frame."""
    import numpy

    return numpy.concatenate([[0.0], numpy.cumsum(steps[:-1])])


def _turned(vectors: Any, angle: Any) -> Any:
    """Vectors (…, 3) turned about y by angles (…)."""
    import numpy

    sine, cosine = numpy.sin(angle), numpy.cos(angle)
    x, y, z = numpy.moveaxis(vectors, -1, 0)
    return numpy.stack([cosine * x + sine * z, y, cosine * z - sine * x], axis=-1)
