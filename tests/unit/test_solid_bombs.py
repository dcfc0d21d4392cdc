"""Meshes of a few bytes that would take minutes or gigabytes to open."""

from __future__ import annotations

import struct

import pytest

from shared.errors import InvalidRequest
from shared.solid import glb
from shared.solid.opening import MAX_FACES, MOST_PARTS, read_solid


def a_glb(nodes: int, count: int = 3) -> bytes:
    """One mesh of `count` corners that as many nodes show."""
    corners, indices = struct.pack("<9f", 0, 0, 0, 1, 0, 0, 0, 1, 0), struct.pack("<3I", 0, 1, 2) * (count // 3)
    rest = corners + indices
    return glb.joined(
        {
            "asset": {"version": "2.0"},
            "scene": 0,
            "scenes": [{"nodes": list(range(nodes))}],
            "nodes": [{"mesh": 0}] * nodes,
            "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
            "accessors": [
                {"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"},
                {"bufferView": 1, "componentType": 5125, "count": count, "type": "SCALAR"},
            ],
            "bufferViews": [
                {"buffer": 0, "byteOffset": 0, "byteLength": 36},
                {"buffer": 0, "byteOffset": 36, "byteLength": len(indices)},
            ],
            "buffers": [{"byteLength": len(rest)}],
        },
        struct.pack("<I4s", len(rest), b"BIN\0") + rest,
    )


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (".glb", a_glb(MOST_PARTS + 1)),
        (".glb", a_glb(1000, MAX_FACES // 100 // 3 * 3)),
        (".obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\n" + b"g a\nusemtl b\nf 1 2 3\n" * MOST_PARTS),
    ],
)
def test_it_is_refused_before_it_is_opened(kind: str, data: bytes) -> None:
    with pytest.raises(InvalidRequest, match="than is taken here"):
        read_solid(data, kind, "bomb")


def test_a_mesh_that_a_few_nodes_show_is_taken() -> None:
    assert len(read_solid(a_glb(4), ".glb", "four").faces) == 4
