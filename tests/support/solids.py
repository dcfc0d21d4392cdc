"""Pictures of simple things to lift, and what every solid must be."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from shared.requests import ImagePart
from shared.solid.cutout import Cutout, cut_out
from shared.solid.lifting import Lift, Shape, lift
from shared.solid.mesh import Solid

SIDE = 96
RED, YELLOW, WHITE = (200, 30, 40), (240, 210, 60), (255, 255, 255)


def picture(shape: str = "disc", side: int = SIDE, ground: Any = WHITE) -> Image.Image:
    """One thing on a plain background."""
    image = Image.new("RGB", (4 * side, 4 * side), ground)  # drawn large, so that its edges are soft
    draw, whole = ImageDraw.Draw(image), 4 * side
    inner = (whole * 0.2, whole * 0.2, whole * 0.8, whole * 0.8)
    if shape == "line":
        draw.line((whole * 0.1, whole * 0.2, whole * 0.9, whole * 0.75), fill=RED, width=whole // 24)
    elif shape == "star":
        turns = np.arange(10) * np.pi / 5
        reach = whole * np.where(np.arange(10) % 2, 0.18, 0.42)
        points = np.stack([whole / 2 + reach * np.sin(turns), whole / 2 - reach * np.cos(turns)], axis=1)
        draw.polygon([tuple(point) for point in points], fill=RED)
    elif shape in ("glint", "bite"):  # a highlight that reaches the outline, or a sharp notch at its place
        draw.ellipse(inner, fill=RED)
        rows, columns = np.mgrid[:whole, :whole] / whole
        far = np.hypot(columns - 0.70, rows - 0.28)
        share = np.clip(1.4 * np.exp(-((far / 0.11) ** 2)), 0, 1) if shape == "glint" else (far < 0.07) * 1.0
        pixels = np.asarray(image) * (1 - share[..., None]) + np.array(ground) * share[..., None]
        image = Image.fromarray(pixels.astype(np.uint8))
    elif shape == "islands":
        draw.ellipse((whole * 0.1, whole * 0.3, whole * 0.4, whole * 0.6), fill=RED)
        draw.rectangle((whole * 0.6, whole * 0.4, whole * 0.9, whole * 0.9), fill=YELLOW)
    else:
        draw.ellipse(inner, fill=RED)
        middle = tuple(whole * 0.5 + sign * whole * 0.12 for sign in (-1, -1, 1, 1))
        if shape == "ring":
            draw.ellipse(middle, fill=ground)
        elif shape == "eye":
            draw.ellipse(middle, fill=YELLOW)
    return image.resize((side, side), Image.Resampling.BOX)


def part(image: Image.Image | None = None, form: str = "PNG") -> ImagePart:
    """The picture as a person would add it."""
    file = io.BytesIO()
    (image or picture()).save(file, form)
    return ImagePart(file.getvalue(), f"image/{form.lower()}")


def lifted(shape: str = "disc", *, see_through: bool = False, **how: Any) -> tuple[Solid, Lift]:
    """Such a thing, lifted."""
    return lift(cut(shape, see_through=see_through), Shape(**{"resolution": 48, **how}))


def cut(shape: str = "disc", **how: Any) -> Cutout:
    """Such a thing, cut out."""
    return cut_out(picture(shape), **how)


def mesh_of(solid: Solid) -> Any:
    """The solid as trimesh sees it, with nothing mended."""
    import trimesh

    return trimesh.Trimesh(solid.vertices, solid.faces, process=False)


def is_whole(solid: Solid) -> None:
    """Closed, its faces turned outwards, none without an area, every vertex used, and its colours in the picture."""
    mesh = mesh_of(solid)
    assert mesh.is_watertight and mesh.is_winding_consistent
    assert mesh.volume > 0 and abs(mesh.volume - solid.volume) < 1e-3 * mesh.volume
    assert mesh.area_faces.min() > 0
    assert len(np.unique(solid.faces)) == len(solid.vertices)
    assert np.isfinite(solid.vertices).all()
    if solid.uv is not None:
        assert solid.uv.shape == (len(solid.vertices), 2) and solid.uv.min() >= 0 and solid.uv.max() <= 1
