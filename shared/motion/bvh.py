"""BVH, Biovision's files of motion: the skeleton as a tree, then a line of angles a frame. Centimetres and degrees.

Layout: Meredith and Maddock, "Motion Capture File Formats Explained" (University of Sheffield, 2001).
"""

from __future__ import annotations

from typing import Any

from shared.motion.skeleton import Motion

_CM = 100.0
_END = 0.08  # metres: how far a bone with no joint at its end is drawn
_ANGLES = "Zrotation Xrotation Yrotation"


def written(motion: Motion) -> bytes:
    """The motion as a BVH file. It has no room for how it was made."""
    import numpy

    lines, order = ["HIERARCHY"], []

    def joint(index: int, deep: int) -> None:
        order.append(index)
        tabs, root = "\t" * deep, motion.parents[index] < 0
        lines.append(f"{tabs}{'ROOT' if root else 'JOINT'} {motion.names[index]}")
        lines.append(f"{tabs}{{\n{tabs}\tOFFSET {_numbers(motion.offsets[index] * _CM)}")
        places = "Xposition Yposition Zposition "
        lines.append(f"{tabs}\tCHANNELS " + (f"6 {places}{_ANGLES}" if root else f"3 {_ANGLES}"))
        children = [child for child, parent in enumerate(motion.parents) if parent == index]
        for child in children:
            joint(child, deep + 1)
        if not children:
            end = motion.offsets[index] / max(numpy.linalg.norm(motion.offsets[index]), 1e-9) * _END * _CM
            lines.append(f"{tabs}\tEnd Site\n{tabs}\t{{\n{tabs}\t\tOFFSET {_numbers(end)}\n{tabs}\t}}")
        lines.append(f"{tabs}}}")

    joint(0, 0)
    lines += ["MOTION", f"Frames: {len(motion)}", f"Frame Time: {1 / motion.fps:.6f}"]
    angles = numpy.degrees(_angles(motion.rotations))[:, order].reshape(len(motion), -1)
    lines += [_numbers(row) for row in numpy.concatenate([motion.path * _CM, angles], axis=1)]
    return ("\n".join(lines) + "\n").encode("ascii")


def _numbers(values: Any) -> str:
    return " ".join(f"{value:.5f}" for value in values)


def _angles(turns: Any) -> Any:
    """Angles (…, 3) about z, then x, then y of rotations (…, 3, 3), which are their product in this order."""
    import numpy

    x = numpy.arcsin(turns[..., 2, 1].clip(-1, 1))
    locked = numpy.abs(turns[..., 2, 1]) > 0.9999999  # then z and y turn about the same line: z does it all
    z = numpy.arctan2(-turns[..., 0, 1], turns[..., 1, 1])
    y = numpy.arctan2(-turns[..., 2, 0], turns[..., 2, 2])
    z = numpy.where(locked, numpy.arctan2(turns[..., 1, 0], turns[..., 0, 0]), z)
    return numpy.stack([z, x, numpy.where(locked, 0.0, y)], axis=-1)
