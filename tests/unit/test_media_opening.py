"""Pictures come in upright and plain, at the size that is wanted, with a mask that says what to draw anew."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from shared.errors import InvalidRequest
from shared.media.masks import fit, mask_from_editor, mask_from_picture
from shared.media.opening import open_picture, to_part
from tests.support.pictures import encoded, pixels, png_with


@pytest.mark.parametrize("form", ["PNG", "WEBP", "GIF", "JPEG"])
@pytest.mark.parametrize("as_path", [False, True])
def test_every_form_that_is_taken_opens(form: str, as_path: bool, tmp_path: Path) -> None:
    drawn = Image.new("RGB", (40, 24), "red")
    file = tmp_path / "a.anything"
    file.write_bytes(encoded(form, drawn))
    opened = open_picture(file if as_path else file.read_bytes())
    assert (opened.mode, opened.size) == ("RGB", (40, 24))
    red, green, blue = opened.getpixel((20, 12))  # type: ignore[misc]
    assert red > 250 and green < 5 and blue < 5


def test_the_pixels_are_the_files() -> None:
    assert open_picture(encoded()).tobytes() == pixels().tobytes()
    assert open_picture(to_part(pixels()).data).tobytes() == pixels().tobytes()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_picture_taken_sideways_stands_upright(form: str, orientation: int) -> None:
    """The corner that the camera's note says is top left is there afterwards."""
    upright = Image.new("RGB", (32, 16), "white")
    ImageDraw.Draw(upright).rectangle((0, 0, 7, 7), "black")
    back = {
        **{2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM},
        **{5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE},
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(back[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    opened = open_picture(encoded(form, stored, exif=exif))
    assert opened.size == (32, 16)
    assert max(opened.getpixel((2, 2))) < 60 and min(opened.getpixel((29, 13))) > 200  # type: ignore[arg-type]
    assert not opened.getexif() and not opened.info, "nothing but pixels is kept"


@pytest.mark.parametrize("mode", ["1", "L", "P", "I;16", "CMYK"])
def test_every_kind_of_pixel_becomes_rgb(mode: str) -> None:
    ramp = Image.linear_gradient("L").resize((32, 32))
    image = ramp.convert("I").point(lambda v: v * 257).convert("I;16") if mode == "I;16" else ramp.convert(mode)
    opened = open_picture(encoded("JPEG" if mode == "CMYK" else "PNG", image))
    assert opened.mode == "RGB"
    if mode != "1":
        assert all(abs(opened.getpixel((5, y))[0] - ramp.getpixel((5, y))) < 6 for y in range(32))  # type: ignore[index,operator]


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_stays_so(mode: str) -> None:
    image = Image.new("RGBA", (8, 8), (10, 20, 30, 0)).convert(mode)
    options: dict[str, Any] = {"transparency": image.getpixel((0, 0))} if mode == "P" else {}
    opened = open_picture(encoded(image=image, **options))
    assert opened.mode == "RGBA" and opened.getchannel("A").getextrema() == (0, 0)


def test_of_a_moving_picture_the_first_is_taken() -> None:
    frames = [Image.new("RGB", (8, 8), c) for c in ("red", "blue")]
    for form in ("GIF", "WEBP", "PNG"):
        opened = open_picture(encoded(form, frames[0], save_all=True, append_images=frames[1:]))
        assert opened.getpixel((4, 4))[0] > 200, form  # type: ignore[index]


@pytest.mark.parametrize(("how", "seen"), [("crop", {"red"}), ("pad", {"red", "black"})])
def test_a_picture_is_brought_to_a_size(how: Any, seen: set[str]) -> None:
    fitted = fit(Image.new("RGB", (100, 50), "red"), (64, 64), how)
    names = {(255, 0, 0): "red", (0, 0, 0): "black"}
    assert fitted.size == (64, 64)
    assert {names.get(colour, "?") for _, colour in fitted.getcolors() or []} == seen  # type: ignore[arg-type]


def test_cropping_takes_the_middle_and_keeps_the_shape() -> None:
    wide = Image.new("RGB", (120, 40), "white")
    ImageDraw.Draw(wide).ellipse((45, 5, 74, 34), "black")
    fitted = fit(wide, (80, 80)).convert("L").point(lambda v: 255 * (v < 128))
    left, top, right, bottom = fitted.getbbox() or (0, 0, 0, 0)
    assert abs((right - left) - (bottom - top)) <= 1 and abs(left + right - 80) <= 2 and abs(top + bottom - 80) <= 2


@pytest.mark.parametrize("how", ["crop", "pad"])
@pytest.mark.parametrize("size", [(16, 4096), (4096, 16), (16, 16)])
@pytest.mark.parametrize("shape", [(30, 1), (1, 30), (7, 5)])
def test_any_size_can_be_had(shape: tuple[int, int], size: tuple[int, int], how: Any) -> None:
    assert fit(Image.new("RGB", shape), size, how).size == size


def test_a_thread_of_a_picture_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="Cut a part out of it"):
        fit(Image.new("RGB", (1, 31)), (64, 64))


@pytest.mark.parametrize("how", ["crop", "pad"])
def test_a_mask_lies_on_its_picture_at_every_size_and_stays_black_and_white(how: Any) -> None:
    picture = Image.new("RGB", (90, 60), "black")
    ImageDraw.Draw(picture).rectangle((30, 20, 50, 40), "white")
    mask = mask_from_picture(picture)
    fitted, on = fit(mask, (64, 64), how), fit(picture, (64, 64), how).convert("L")
    assert {colour for _, colour in fitted.getcolors() or []} == {0, 255}
    assert all(abs(a - b) <= 1 for a, b in zip(fitted.getbbox() or (), on.point(lambda v: 255 * (v > 127)).getbbox() or (), strict=True))  # fmt: skip  # noqa: E501


def layer(*box: int, alpha: int = 255, size: tuple[int, int] = (40, 24)) -> Image.Image:
    drawn = Image.new("RGBA", size, (0, 0, 0, 0))
    ImageDraw.Draw(drawn).rectangle(box, (200, 10, 10, alpha))
    return drawn


def test_what_is_painted_in_any_layer_is_drawn_anew(tmp_path: Path) -> None:
    layer(20, 10, 29, 15).save(tmp_path / "l.png")
    pixels().save(tmp_path / "b.png")
    layers: list[Any] = [layer(0, 0, 3, 3), None, str(tmp_path / "l.png"), layer(30, 0, 39, 5, alpha=10)]
    mask = mask_from_editor({"background": str(tmp_path / "b.png"), "layers": layers, "composite": None})
    assert (mask.mode, mask.size, mask.getbbox()) == ("L", (40, 24), (0, 0, 30, 16))
    assert mask.getpixel((10, 8)) == 0 and mask.getpixel((25, 12)) == 255 and mask.getpixel((35, 2)) == 0


def test_what_is_rubbed_out_of_the_picture_is_drawn_anew() -> None:
    hole = pixels(mode="RGBA")
    hole.paste((0, 0, 0, 0), (5, 5, 9, 9))
    assert mask_from_editor({"background": hole, "layers": []}).getbbox() == (5, 5, 9, 9)


def test_a_layer_of_another_size_is_stretched_over_the_picture() -> None:
    mask = mask_from_editor({"background": pixels(), "layers": [layer(0, 0, 9, 5, size=(20, 12))]})
    assert (mask.size, mask.getbbox()) == ((40, 24), (0, 0, 20, 12))


@pytest.mark.parametrize("value", [None, {}, {"background": None, "layers": [None]}])
def test_without_a_picture_there_is_no_mask(value: Any) -> None:
    with pytest.raises(InvalidRequest, match="Add one first"):
        mask_from_editor(value)


def test_an_empty_mask_is_told() -> None:
    with pytest.raises(InvalidRequest, match="Paint over the part"):
        mask_from_editor({"background": pixels(), "layers": [layer(0, 0, 3, 3, alpha=5)]})
    with pytest.raises(InvalidRequest, match="Paint over the part"):
        mask_from_picture(encoded(image=Image.new("L", (8, 8), 100)))


def test_a_transparent_part_of_a_mask_is_black() -> None:
    picture = Image.new("RGBA", (8, 8), (255, 255, 255, 0))
    picture.paste((255, 255, 255, 255), (2, 2, 4, 4))
    assert mask_from_picture(encoded(image=picture)).getbbox() == (2, 2, 4, 4)


def test_texts_in_a_picture_do_no_harm_to_opening_it() -> None:
    assert open_picture(io.BytesIO(png_with(parameters="a" * 1000)).getvalue()).size == (40, 24)
