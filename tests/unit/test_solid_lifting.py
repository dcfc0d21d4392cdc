"""Pictures become closed solids of the right shape; what can't be lifted is told in words."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import Image

from shared.errors import InvalidRequest
from shared.solid.colour import lab
from shared.solid.cutout import cut_out
from shared.solid.inflating import inflated
from shared.solid.lifting import Shape, lift
from shared.solid.measuring import agreement, figures
from shared.solid.mesh import pixels_of, sampled
from shared.solid.rendering import View, drawn, silhouette
from tests.support.pictures import pixels
from tests.support.solids import RED, SIDE, YELLOW, cut, is_whole, lifted, mesh_of, picture

SHAPES = ("disc", "star", "ring", "islands", "line", "eye")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("back", ["round", "flat"])
def test_every_shape_becomes_a_closed_solid(shape: str, back: str) -> None:
    solid, _ = lifted(shape, back=back, see_through=shape == "ring")
    is_whole(solid)
    assert mesh_of(solid).body_count == (2 if shape == "islands" else 1)
    assert mesh_of(solid).euler_number == {"ring": 0, "islands": 4}.get(shape, 2)


def test_a_disc_becomes_a_ball() -> None:
    solid, kept = lifted("disc", depth=1.0, parts=0.0, size_mm=50.0, resolution=80)
    assert solid.size == pytest.approx([50, 50, 50], rel=0.03)
    assert solid.volume == pytest.approx(4 / 3 * math.pi * 25**3, rel=0.03)
    assert solid.area == pytest.approx(4 * math.pi * 25**2, rel=0.03)
    middle = kept.heights.shape[0] // 2
    assert kept.heights.max() == pytest.approx(40, rel=0.03) and kept.heights[middle].argmax() == pytest.approx(
        middle, abs=1
    )


def test_depth_size_and_back_are_what_was_asked_for() -> None:
    deep, flat = lifted("star", depth=1.2)[0], lifted("star", depth=0.3, back="flat", size_mm=120.0)[0]
    assert deep.size.max() == pytest.approx(60, rel=1e-4) and flat.size.max() == pytest.approx(120, rel=1e-4)
    assert deep.size[2] / deep.size[0] > 2 * flat.size[2] / flat.size[0]
    low = flat.vertices[:, 2].min()
    assert (flat.vertices[:, 2] < low + 1e-3).mean() > 0.4  # the foot


def test_more_cells_make_more_triangles() -> None:
    few, many = (len(lifted("disc", resolution=cells)[0].faces) for cells in (24, 96))
    assert 10 < many / few < 22


def test_a_part_of_another_colour_rises_by_itself() -> None:
    flat, kept = lifted("eye", parts=0.0)
    raised, _ = lifted("eye", parts=1.0)
    assert kept.count == 2 and raised.size[2] / raised.size[0] > 1.1 * flat.size[2] / flat.size[0]
    assert lifted("disc")[1].count == 1


def test_the_front_wears_the_picture_and_no_background() -> None:
    solid, _ = lifted("eye")
    assert solid.texture is not None
    colours = lab(sampled(pixels_of(solid.texture), solid.uv))
    assert np.linalg.norm(colours - lab(np.array((255, 255, 255))), axis=1).min() > 20
    before = drawn(solid, View(), SIDE)
    assert np.linalg.norm(np.subtract(before.getpixel((SIDE // 2, SIDE // 2)), YELLOW)) < 90
    assert np.argmax(before.getpixel((SIDE // 2, SIDE // 4))) == 0 and before.getpixel((1, 1)) == (255, 255, 255)


def test_outlines_agree_with_their_picture_and_not_with_another() -> None:
    solid, kept = lifted("star", resolution=96)
    assert agreement(solid, kept.cutout.mask) > 0.95
    assert agreement(solid, cut("disc").mask) < 0.8
    assert figures(solid)["watertight"] and figures(solid)["sides_mm"][0] == pytest.approx(60, rel=0.01)


def test_from_the_side_it_is_as_deep_as_it_is() -> None:
    solid, _ = lifted("disc", depth=0.5, parts=0.0)
    before, beside = silhouette(solid, View(), 128), silhouette(solid, View(turn=90), 128)
    assert beside.sum() / before.sum() == pytest.approx(0.5, rel=0.06)


def test_the_height_of_a_long_strip_is_that_of_the_equation() -> None:
    """Between two lines 2w apart minus u'' = 4 gives 2 (w² - x²)."""
    cover = np.zeros((23, 400))
    cover[2:21] = 1.0  # the outline lies half a cell beyond: w is 9.5
    assert inflated(cover)[11, 200] == pytest.approx(math.sqrt(2) * 9.5, rel=0.01)


@pytest.mark.parametrize("side", [SIDE, 4 * SIDE])  # as it is, and looked at in a smaller copy
def test_a_highlight_at_the_edge_belongs_to_the_object_and_a_notch_does_not(side: int) -> None:
    whole, glint, bite = (cut_out(picture(shape, side)).mask for shape in ("disc", "glint", "bite"))
    missing = (whole & ~glint).sum() / whole.sum()
    assert missing < 0.015 and not (glint & ~whole).any()
    notch = np.hypot(*(np.indices(whole.shape) + 0.5 - np.array([0.28, 0.70])[:, None, None] * side)) < 0.06 * side
    assert (whole & notch & glint).sum() > 0.5 * (whole & notch).sum() and not (bite & notch).any()


def test_a_transparent_picture_is_cut_by_its_transparency() -> None:
    image = picture("disc", ground=(90, 90, 90))
    alpha = Image.fromarray((cut("disc").cover * 255).astype(np.uint8))
    noisy = pixels(SIDE, SIDE)
    noisy.paste(image.crop((24, 24, 72, 72)), (24, 24))
    noisy.putalpha(alpha)
    cutout = cut_out(noisy)
    assert cutout.by == "transparency" and (cutout.mask == cut("disc").mask).mean() > 0.99
    is_whole(lift(cutout, Shape(resolution=40))[0])


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (pixels(SIDE, SIDE), "background isn't plain"),
        (Image.new("RGB", (64, 64), RED), "No object was found"),
        (Image.new("RGBA", (64, 64), (*RED, 0)), "No object was found"),
        (Image.new("RGBA", (64, 64), (*RED, 255)), "No object was found"),
    ],
)
def test_what_can_not_be_cut_out_is_told(image: Image.Image, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        cut_out(image)


def test_a_thing_that_fills_the_picture_has_no_outline() -> None:
    image = Image.new("RGBA", (64, 64), (*RED, 255))
    image.putpixel((0, 0), (0, 0, 0, 0))
    with pytest.raises(InvalidRequest, match="fills the whole picture"):
        cut_out(image)


def test_a_thing_cut_off_by_the_pictures_edge_is_closed_there() -> None:
    image = picture("disc").crop((0, 0, SIDE, SIDE * 2 // 3))
    is_whole(lift(cut_out(image), Shape(resolution=40))[0])


def test_a_large_picture_is_cut_out_of_a_smaller_copy() -> None:
    cutout = cut_out(picture("star").resize((3000, 3000)))
    assert max(cutout.mask.shape) == 1024
    is_whole(lift(cutout, Shape(resolution=64))[0])
