"""An animated GLB: a node a joint, a simple bone to each of its children, and channels that turn the joints.

glTF 2.0: https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html#animations
"""

from __future__ import annotations

import struct
from typing import Any

from shared.motion.skeleton import Motion
from shared.solid import glb

_FLOAT, _SHORT = 5126, 5123
_VERTICES, _INDICES = 34962, 34963  # what a buffer's view is for
_THICK = 0.12  # of a bone's length, where it is thickest
_COLOUR = [0.18, 0.52, 0.48, 1.0]


class _Buffer:
    """What numbers stand where."""

    def __init__(self) -> None:
        self.data = b""
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []

    def add(self, values: Any, form: str, kind: int = _FLOAT, target: int | None = None, *, ends: bool = False) -> int:
        """The accessor of an array (n, …). `ends`: whether its lowest and highest must be told."""
        packed = values.astype("<f4" if kind == _FLOAT else "<u2")
        told: dict[str, Any] = {"componentType": kind, "count": len(values), "type": form}
        told["bufferView"] = len(self.views)
        if ends:
            flat = packed.reshape(len(values), -1)
            told |= {"min": flat.min(axis=0).tolist(), "max": flat.max(axis=0).tolist()}
        view: dict[str, Any] = {"buffer": 0, "byteOffset": len(self.data), "byteLength": packed.nbytes}
        self.views.append(view if target is None else {**view, "target": target})
        self.accessors.append(told)
        self.data += packed.tobytes() + b"\0" * (-packed.nbytes % 4)
        return len(self.accessors) - 1


def written(motion: Motion, made: dict[str, Any] | None = None) -> bytes:
    """The motion as a GLB. `made`: how it was made, kept among the extras of its `asset`."""
    import numpy

    buffer = _Buffer()
    nodes: list[dict[str, Any]] = []
    meshes: list[dict[str, Any]] = []
    for name, offset in zip(motion.names, motion.offsets, strict=True):
        nodes.append({"name": name, "translation": [float(value) for value in offset], "children": []})
    joints = list(nodes)
    for joint, parent in enumerate(motion.parents):
        if parent < 0:
            continue
        joints[parent]["children"].append(joint)
        places, faces = _bone(motion.offsets[joint])
        at = buffer.add(places, "VEC3", target=_VERTICES, ends=True)
        corners = buffer.add(faces.reshape(-1), "SCALAR", _SHORT, _INDICES)
        meshes.append({"primitives": [{"attributes": {"POSITION": at}, "indices": corners, "material": 0}]})
        joints[parent]["children"].append(len(nodes))
        nodes.append({"name": f"{motion.names[joint]}_bone", "mesh": len(meshes) - 1})
    for node in joints:
        if not node["children"]:
            del node["children"]
    times = buffer.add(numpy.arange(len(motion)) / motion.fps, "SCALAR", ends=True)
    samplers = [{"input": times, "output": buffer.add(motion.path, "VEC3"), "interpolation": "LINEAR"}]
    channels: list[dict[str, Any]] = [{"sampler": 0, "target": {"node": 0, "path": "translation"}}]
    for joint in range(len(motion.parents)):
        turns = buffer.add(_quaternions(motion.rotations[:, joint]), "VEC4")
        channels.append({"sampler": len(samplers), "target": {"node": joint, "path": "rotation"}})
        samplers.append({"input": times, "output": turns, "interpolation": "LINEAR"})
    paint = {"pbrMetallicRoughness": {"baseColorFactor": _COLOUR, "metallicFactor": 0.0, "roughnessFactor": 0.7}}
    document = {
        "asset": {"version": "2.0", "generator": "Generative-AI playgrounds", "extras": made or {}},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": nodes,
        "meshes": meshes,
        "materials": [paint],
        "animations": [{"name": "motion", "channels": channels, "samplers": samplers}],
        "accessors": buffer.accessors,
        "bufferViews": buffer.views,
        "buffers": [{"byteLength": len(buffer.data)}],
    }
    return glb.joined(document, struct.pack("<I4s", len(buffer.data), b"BIN\0") + buffer.data)


def _bone(end: Any) -> tuple[Any, Any]:
    """A long octahedron from a joint to its child: places (6, 3) and outward triangles (8, 3)."""
    import numpy

    long = max(float(numpy.linalg.norm(end)), 1e-6)
    ahead = numpy.asarray(end, dtype=float) / long
    side = numpy.cross(ahead, numpy.eye(3)[numpy.abs(ahead).argmin()])
    side /= numpy.linalg.norm(side)
    up = numpy.cross(ahead, side)
    around = [_THICK * long * way + 0.2 * long * ahead for way in (side, up, -side, -up)]
    places = numpy.array([numpy.zeros(3), *around, ahead * long])
    ring = [(k + 1, (k + 1) % 4 + 1) for k in range(4)]
    return places, numpy.array([*((0, b, a) for a, b in ring), *((5, a, b) for a, b in ring)])


def _quaternions(turns: Any) -> Any:
    """Rotations (frames, 3, 3) as unit quaternions x, y, z, w, each the nearer of its two to the one before.

    Of the four ways to read a quaternion that with the largest divisor (Shepperd 1978).
    """
    import numpy

    found: list[Any] = []
    for m in turns:
        four = numpy.array([1 + m[0, 0] - m[1, 1] - m[2, 2], 1 - m[0, 0] + m[1, 1] - m[2, 2],
                            1 - m[0, 0] - m[1, 1] + m[2, 2], 1 + m[0, 0] + m[1, 1] + m[2, 2]])  # fmt: skip
        xy, xz, yz = m[1, 0] + m[0, 1], m[0, 2] + m[2, 0], m[2, 1] + m[1, 2]
        xw, yw, zw = m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]
        rows = ([four[0], xy, xz, xw], [xy, four[1], yz, yw], [xz, yz, four[2], zw], [xw, yw, zw, four[3]])
        read = numpy.array(rows[int(four.argmax())])
        read /= numpy.linalg.norm(read)
        found.append(-read if found and read @ found[-1] < 0 else read)
    return numpy.array(found)
