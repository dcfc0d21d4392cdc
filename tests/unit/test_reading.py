"""The edges of a picture are found where they are, thin and whole, and a sketch is read whichever way it was drawn."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
from PIL import Image, ImageDraw

from shared.errors import InvalidRequest
from shared.media.edges import edges
from shared.media.reading import READERS, read


def scene(size: int = 96) -> Image.Image:
    """A disc and a square on grey."""
    picture = Image.new("RGB", (size, size), (90, 90, 90))
    pen = ImageDraw.Draw(picture)
    pen.ellipse((10, 10, 45, 45), fill="white")
    pen.rectangle((55, 55, 85, 85), fill="black")
    return picture


def found(picture: Image.Image, **more: Any) -> Any:
    return numpy.asarray(edges(picture, **more)) > 0


def test_edges_lie_on_the_outlines_and_nowhere_else() -> None:
    seen = found(scene())
    y, x = numpy.nonzero(seen)
    on_disc = abs(numpy.hypot(y - 27.5, x - 27.5) - 17.5) < 2
    distance = numpy.maximum(abs(y - 70), abs(x - 70))
    on_square = abs(distance - 15) < 2
    assert (on_disc | on_square).all()
    assert on_disc.sum() > 0.7 * 2 * numpy.pi * 17.5 and on_square.sum() > 0.85 * 4 * 30


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_an_outline_is_one_pixel_thick_however_it_runs(turned: int) -> None:
    half = Image.new("L", (64, 64), 0)
    half.paste(255, (32, 0, 64, 64))
    assert (found(half.rotate(turned)).sum(0 if turned in (90, 270) else 1) == 1).all()
    for corners in ([(0, 0), (63, 0), (0, 63)], [(0, 0), (63, 0), (63, 63)]):
        slanted = Image.new("L", (64, 64), 0)
        ImageDraw.Draw(slanted).polygon(corners, fill=255)
        assert found(slanted)[4:60].sum(1).max() <= 2


def test_a_weak_edge_counts_only_where_it_hangs_together_with_a_strong_one() -> None:
    fading = numpy.zeros((40, 80), numpy.uint8)
    fading[20:] = numpy.linspace(255, 30, 80).astype(numpy.uint8)
    alone = fading.copy()
    alone[:, :64] = 0
    kept = found(Image.fromarray(fading)).any(0)
    assert kept[:70].all() and not found(Image.fromarray(alone)).any()
    assert not found(Image.fromarray(fading), strong=100_000).any()


def test_a_picture_without_edges_has_none_and_noise_is_smoothed_away() -> None:
    assert not found(Image.new("RGB", (30, 20), "red")).any()
    faint = Image.effect_noise((64, 64), 12)
    assert found(faint).mean() < 0.01


@pytest.mark.parametrize("ink", ["dark", "light", "grey", "clear"])
def test_a_sketch_becomes_white_lines_on_black(ink: str) -> None:
    paper, pen = {"dark": ("white", "black"), "light": ("black", "white"), "grey": ("#e8e4dc", "#505058")}.get(
        ink, ((0, 0, 0, 0), "black")
    )
    sketch = Image.new("RGBA", (60, 40), paper)
    ImageDraw.Draw(sketch).line((5, 5, 55, 35), fill=pen, width=3)
    shown = numpy.asarray(read(sketch, "lines"))
    assert shown[20, 30].min() == 255 and shown[5, 55].max() == 0
    assert set(numpy.unique(shown)) == {0, 255} and 0.02 < (shown > 0).mean() < 0.12


@pytest.mark.parametrize("how", READERS)
def test_what_is_read_is_rgb_and_no_larger_than_a_model_sees(how: str) -> None:
    shown = read(scene().resize((1500, 600)), how)
    assert shown.mode == "RGB" and shown.size == (1024, 410)
    assert read(scene(), "as it is").tobytes() == scene().tobytes()


def test_another_way_to_read_is_told() -> None:
    with pytest.raises(InvalidRequest, match="edges, lines, as it is; not as 'depth'"):
        read(scene(), "depth")
