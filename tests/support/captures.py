"""Photographs of three coloured balls, drawn by rules of their own, with the cameras' files of several programs."""

from __future__ import annotations

import io
import json
import math
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

WIDE, HIGH, FOCAL = 96, 72, 110.0
BALLS = {(0.55, 0.0, 0.1): (220, 40, 40), (-0.5, 0.4, -0.2): (40, 170, 60), (0.0, -0.55, 0.35): (50, 70, 220)}
_BIG = 0.3
_AT = np.array([0.0, 0.0, 0.1])


def poses(count: int) -> list[tuple[Any, Any]]:
    """In COLMAP's way: the turn (3, 3) and shift (3) that bring z-up places before a camera looking along z, y down."""
    found = []
    for number in range(count):
        around, over = 2 * math.pi * number / count, 0.25 + 0.5 * (number % 3)
        place = _AT + 4.0 * np.array(
            [math.cos(around) * math.cos(over), math.sin(around) * math.cos(over), math.sin(over)]
        )
        ahead = (_AT - place) / np.linalg.norm(_AT - place)
        right = np.cross(ahead, [0.0, 0.0, 1.0])
        right /= np.linalg.norm(right)
        turn = np.stack([right, np.cross(ahead, right), ahead])
        found.append((turn, -turn @ place))
    return found


def picture(turn: Any, shift: Any, form: str = "PNG") -> bytes:
    """What that camera sees, on white."""
    image = Image.new("RGB", (WIDE * 4, HIGH * 4), "white")
    draw = ImageDraw.Draw(image)
    seen = [(turn @ np.array(place) + shift, colour) for place, colour in BALLS.items()]
    for (x, y, z), colour in sorted(seen, key=lambda each: -each[0][2]):
        across, down, big = (FOCAL * x / z + WIDE / 2) * 4, (FOCAL * y / z + HIGH / 2) * 4, FOCAL * _BIG / z * 4
        draw.ellipse((across - big, down - big, across + big, down + big), fill=colour)
    file = io.BytesIO()
    image.resize((WIDE, HIGH), Image.Resampling.BOX).save(file, form)
    return file.getvalue()


def quaternion(turn: Any) -> Any:
    """w first, of a turn: the axis that it leaves alone, found as an eigenvector."""
    values, vectors = np.linalg.eig(turn)
    axis = np.real(vectors[:, np.argmin(abs(values - 1))])
    half = math.acos(float(np.clip((np.trace(turn) - 1) / 2, -1, 1))) / 2
    across = np.array([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]])
    return np.array([math.cos(half), *(math.sin(half) * axis * (1 if axis @ across >= 0 else -1))])


def colmap_text(
    count: int, model: str = "PINHOLE", numbers: str = f"{FOCAL} {FOCAL} {WIDE / 2} {HIGH / 2}"
) -> dict[str, bytes]:
    """The files as text."""
    lines = ["# pictures"]
    for number, (turn, shift) in enumerate(poses(count)):
        values = " ".join(f"{value:.9f}" for value in (*quaternion(turn), *shift))
        lines += [f"{number + 1} {values} 7 side {number}.png", "1.0 2.0 -1" if number % 2 else ""]
    points = [f"{n} {' '.join(map(str, (*place, *colour)))} 0.1 1 2 3 4" for n, (place, colour) in enumerate(_points())]
    return {
        "sparse/0/cameras.txt": f"# lenses\n7 {model} {WIDE} {HIGH} {numbers}\n".encode(),
        "sparse/0/images.txt": "\n".join([*lines, ""]).encode(),
        "sparse/0/points3D.txt": "\n".join(points).encode(),
    }


def colmap_binary(count: int) -> dict[str, bytes]:
    """The same as binary."""
    images = struct.pack("<Q", count)
    for number, (turn, shift) in enumerate(poses(count)):
        images += struct.pack("<i7di", number + 1, *quaternion(turn), *shift, 7)
        images += f"side {number}.png\0".encode() + struct.pack("<Q", number % 2) + b"\1" * 24 * (number % 2)
    points = struct.pack("<Q", len(_points()))
    for number, (place, colour) in enumerate(_points()):
        points += struct.pack("<Q3d3BdQ", number, *place, *colour, 0.1, 2) + b"\2" * 16
    lens = struct.pack("<QiiQQ4d", 1, 7, 1, WIDE, HIGH, FOCAL, FOCAL, WIDE / 2, HIGH / 2)
    return {"sparse/0/cameras.bin": lens, "sparse/0/images.bin": images, "sparse/0/points3D.bin": points}


def transforms(count: int) -> dict[str, bytes]:
    """As NeRF's data sets have it."""
    frames = []
    for number, (turn, shift) in enumerate(poses(count)):
        matrix = np.eye(4)
        matrix[:3, :3] = turn.T * (1, -1, -1)
        matrix[:3, 3] = -turn.T @ shift
        frames.append({"file_path": f"./images/side {number}", "transform_matrix": matrix.tolist()})
    told = {"camera_angle_x": 2 * math.atan(WIDE / 2 / FOCAL), "w": WIDE, "h": HIGH, "frames": frames}
    return {"transforms.json": json.dumps(told).encode()}


def pictures(count: int) -> dict[str, bytes]:
    """The photographs by their names in the zip."""
    return {f"images/side {number}.png": picture(*pose) for number, pose in enumerate(poses(count))}


def packed(path: Path, *files: Mapping[str, bytes]) -> Path:
    """A zip of them."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for each in files:
            for name, data in each.items():
                archive.writestr(name, data)
    return path


def _points() -> list[tuple[Any, Any]]:
    return [(place, colour) for place, colour in BALLS.items() for _ in range(20)]
