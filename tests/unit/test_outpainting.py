"""A picture is enlarged where it is to be and keeps its pixels; the mask says what is new."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
from PIL import Image

from shared.errors import InvalidRequest
from shared.image.outpainting import beyond
from shared.media.opening import open_picture, to_part
from shared.media.outpainting import Enlarged, Sides, enlarge, enlarged_size, to_shape
from shared.media.repainting import lay_over
from shared.requests import ImageRequest
from tests.support import pictures

NONE: Sides = (0.0, 0.0, 0.0, 0.0)


def array(image: Image.Image) -> Any:
    return numpy.asarray(image).astype(int)


def wider(sides: Sides, width: int = 160, height: int = 96, **more: Any) -> tuple[Image.Image, Enlarged]:
    picture = pictures.pixels(width, height)
    return picture, enlarge(picture, sides, more.pop("size", enlarged_size(picture.size, sides)), **more)


@pytest.mark.parametrize(
    ("sides", "size", "at"),
    [
        ((0.25, 0.0, 0.0, 0.0), (200, 96), (40, 0)),
        ((0.0, 0.0, 0.5, 0.0), (240, 96), (0, 0)),
        ((0.0, 0.5, 0.0, 0.25), (160, 168), (0, 48)),
        ((0.1, 0.5, 0.2, 0.5), (208, 192), (16, 48)),
    ],
)
def test_the_picture_keeps_its_pixels_in_its_place(sides: Sides, size: tuple[int, int], at: tuple[int, int]) -> None:
    picture, made = wider(sides)
    assert made.picture.size == made.mask.size == size and made.placed == picture.size
    assert (array(made.picture.crop((*at, at[0] + 160, at[1] + 96))) == array(picture)).all()
    kept = array(made.mask) == 0
    assert kept.sum() > 0.6 * 160 * 96
    whole = numpy.zeros(kept.shape, bool)
    whole[at[1] : at[1] + 96, at[0] : at[0] + 160] = True
    assert not (kept & ~whole).any(), "all that is new is to be drawn"


def test_the_mask_reaches_over_an_edge_only_where_something_new_comes() -> None:
    _, made = wider((0.0, 0.0, 0.5, 0.0))
    mask = array(made.mask)
    assert not mask[:, : 160 - 8].any() and (mask[:, 160 - 8 :] == 255).all()


def test_the_seam_is_soft_and_the_rest_stays_to_the_last_pixel() -> None:
    picture, made = wider((0.0, 0.0, 0.5, 0.0), 320, 320)
    over = lay_over(made.picture, Image.new("RGB", made.picture.size, "white"), made.mask)
    seam = 320 // 32
    assert (array(over)[:, : 320 - seam] == array(picture)[:, : 320 - seam]).all()
    black = lay_over(Image.new("RGB", over.size), Image.new("RGB", over.size, "white"), made.mask)
    row = array(black)[160, 320 - seam : 320, 0]
    assert list(row) == sorted(row) and 0 < row[seam // 2] < 255 and array(black)[160, 330, 0] == 255


def test_what_is_new_is_filled_with_the_colours_of_the_edge_beside_it() -> None:
    picture = Image.new("RGB", (128, 128), "red")
    picture.paste("blue", (64, 0, 128, 128))
    made = array(enlarge(picture, (0.5, 0.0, 0.5, 0.0), (256, 128)).picture)
    assert abs(made[64, 10] - [255, 0, 0]).max() < 3 and abs(made[64, 245] - [0, 0, 255]).max() < 3
    noisy = pictures.pixels(128, 128)
    filled = array(enlarge(noisy, (0.0, 0.0, 1.0, 0.0), (256, 128)).picture)
    assert filled[:, 200:, 1].std(0).mean() < 0.7 * array(noisy)[:, -1, 1].std(), "no streaks"


def test_room_that_is_left_over_goes_where_more_was_asked_for() -> None:
    picture, made = wider((0.0, 0.0, 0.1, 0.0), 100, 100, size=(128, 112))
    assert made.placed == (100, 100) and not array(made.mask)[50, :90].any()
    assert (array(made.picture)[6:106, :100] == array(picture)).all(), "halves above and below"


def test_it_is_scaled_down_to_fit_and_up_only_where_there_is_much_more_room() -> None:
    assert wider((0.5, 0.0, 0.5, 0.0), 200, 100, size=(200, 50))[1].placed == (100, 50)
    assert wider((0.5, 0.0, 0.5, 0.0), 200, 100, size=(440, 110))[1].placed == (200, 100)
    assert wider((0.5, 0.0, 0.5, 0.0), 200, 100, size=(800, 200))[1].placed == (400, 200)
    assert wider((0.5, 0.0, 0.5, 0.0), 200, 100, size=(440, 110), grow=True)[1].placed == (220, 110)


@pytest.mark.parametrize(("size", "shape"), [((100, 100), (16, 9)), ((100, 100), (2, 3)), ((300, 200), (1, 1))])
def test_both_sides_grow_alike_until_the_shape_is_met(size: tuple[int, int], shape: tuple[int, int]) -> None:
    left, top, right, bottom = to_shape(size, NONE, shape)
    width, height = enlarged_size(size, (left, top, right, bottom))
    assert (left, top) == (right, bottom) and width >= size[0] and height >= size[1]
    assert width / height == pytest.approx(shape[0] / shape[1], rel=0.02)


def request(**more: Any) -> ImageRequest:
    return ImageRequest(prompt="a cat", image=to_part(pictures.pixels(160, 96)), **more)


def as_it_is(width: int, height: int, chosen: bool) -> tuple[int, int]:
    return width, height


def test_a_request_becomes_one_within_a_mask() -> None:
    made, words = beyond(request(outpaint=(0.25, 0.0, 0.0, 0.0)), as_it_is)
    assert (made.width, made.height, words) == (200, 96, ())
    assert made.image is not None and made.mask_image is not None
    assert open_picture(made.image.data).size == open_picture(made.mask_image.data).size == (200, 96)
    plain = request()
    assert beyond(plain, as_it_is) == (plain, ())


def test_a_size_that_was_asked_for_gives_the_shape() -> None:
    made, words = beyond(request(outpaint=NONE, width=320, height=320), as_it_is)
    mask = array(open_picture(made.mask_image.data).convert("L"))  # type: ignore[union-attr]
    assert mask.shape == (320, 320) and not mask[160].any() and (mask[0] == 255).all() and (mask[-1] == 255).all()
    assert "scaled from 160 x 96 to 320 x 192" in words[0]
    one, _ = beyond(request(outpaint=(0.0, 0.0, 1.0, 0.0), width=640), as_it_is)
    assert (one.width, one.height) == (640, 192)


def test_what_is_masked_of_the_picture_itself_is_drawn_too() -> None:
    mask = Image.new("L", (160, 96), 0)
    mask.paste(255, (40, 40, 60, 60))
    made, _ = beyond(request(outpaint=(0.25, 0.0, 0.0, 0.0), mask_image=to_part(mask)), as_it_is)
    new = array(open_picture(made.mask_image.data).convert("L"))  # type: ignore[union-attr]
    assert (new[45:55, 85:95] == 255).all() and not new[60:, 60:].any()


@pytest.mark.parametrize("more", [{"outpaint": NONE}, {"outpaint": NONE, "width": 320, "height": 192}])
def test_nothing_new_is_told(more: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match="Nothing would be added"):
        beyond(request(**more), as_it_is)


@pytest.mark.parametrize(
    ("outpaint", "words"),
    [
        ((0.1, 0.1), "has four parts"),
        ((-0.1, 0.0, 0.0, 0.0), "must be between 0 and 4"),
        ((0.0, float("nan"), 0.0, 0.0), "must be between"),
        ((0.0, 0.0, 9.0, 0.0), "must be between"),
    ],
)
def test_sides_that_can_not_be_are_told(outpaint: Any, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        request(outpaint=outpaint).validate()
    with pytest.raises(InvalidRequest, match="give that picture too"):
        ImageRequest(prompt="a cat", outpaint=(0.5, 0.0, 0.0, 0.0)).validate()
