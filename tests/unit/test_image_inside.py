"""What Look inside and Compare compute of pictures: noise curves, likeness, heat maps, ways between, attributes."""

from __future__ import annotations

import io
import itertools
import json
import math
from typing import Any

import numpy
import pytest
from PIL import Image, ImageFilter

from shared.backends.diffusion.schedulers import schedulers
from shared.errors import InvalidRequest
from shared.image.attention import heats, sizes
from shared.image.attributes import UNSAID, columns, rows
from shared.image.between import moving, way_to
from shared.image.drawing import Drawing
from shared.image.likeness import psnr, ssim
from shared.image.noise_curves import curve, schedules
from shared.media.restoring import restore
from shared.outputs import AttentionMaps
from shared.receipts import Receipt
from shared.requests import ImagePart, ImageRequest
from shared.settings import Settings
from tests.support.pictures import encoded, pixels

RECEIPT = Receipt(model="m", name="M", task="text-to-image", backend="diffusers", mode="local", license="none", seed=3)
# numpy arrays turned into tensors, by diffusers' schedulers
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


def part(image: Image.Image) -> ImagePart:
    return ImagePart(encoded("PNG", image), "image/png")


@pytest.mark.parametrize(
    ("schedule", "scheduler"), [(s, name) for s in schedules().values() for name in schedulers()[s.kind]]
)
def test_every_scheduler_takes_noise_away_step_by_step(schedule: Any, scheduler: str) -> None:
    points = curve(scheduler, schedule, 8)
    assert [point.step for point in points] == list(range(1, 9))
    assert all(a.snr_db < b.snr_db and a.kept < b.kept for a, b in itertools.pairwise(points))
    assert all(point.kept == pytest.approx(1 / (1 + point.sigma**2)) for point in points)


def test_the_curves_are_those_that_are_known() -> None:
    """Stable Diffusion's largest and smallest sigma; halfway along a straight flow, signal and noise are even."""
    noise = curve("EulerDiscreteScheduler", schedules()["sd"], 20)
    assert (noise[0].sigma, noise[-1].sigma) == (pytest.approx(14.6146, abs=1e-3), pytest.approx(0.0292, abs=1e-3))
    assert noise[0].kept == pytest.approx(0.00466, abs=1e-5)
    flow = curve("FlowMatchEulerDiscreteScheduler", schedules()["flow"], 3)
    assert math.isinf(flow[0].sigma) and flow[0].kept == 0 and flow[0].snr_db == -math.inf
    assert flow[1].snr_db == pytest.approx(0, abs=0.02)


def test_curves_that_can_not_be_are_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"DDIM is not for .*Choose of: Euler \(flow\)"):
        curve("DDIMScheduler", schedules()["sd3"], 5)
    with pytest.raises(InvalidRequest, match="between 1 and 200 steps"):
        curve("DDIMScheduler", schedules()["sd"], 0)
    with pytest.raises(InvalidRequest, match="at most 50"):
        curve("LCMScheduler", schedules()["sd"], 51)


def test_structural_similarity_is_wangs() -> None:
    """Against the definition, written out for each window of a small picture."""
    first, second = pixels(15, 13), pixels(15, 13).filter(ImageFilter.GaussianBlur(1))
    weights = numpy.exp(-((numpy.arange(11) - 5) ** 2) / (2 * 1.5**2))
    window = numpy.outer(weights, weights) / weights.sum() ** 2
    one, other = (numpy.asarray(p, float) @ [0.299, 0.587, 0.114] for p in (first, second))
    values = []
    for y, x in ((y, x) for y in range(3) for x in range(5)):
        a, b = one[y : y + 11, x : x + 11], other[y : y + 11, x : x + 11]
        mean_a, mean_b = (window * a).sum(), (window * b).sum()
        var_a, var_b = (window * (a - mean_a) ** 2).sum(), (window * (b - mean_b) ** 2).sum()
        both = (window * (a - mean_a) * (b - mean_b)).sum()
        c1, c2 = 6.5025, 58.5225
        light = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
        values.append(light * (2 * both + c2) / (var_a + var_b + c2))
    assert ssim(part(first), part(second)) == pytest.approx(numpy.mean(values), rel=1e-6)


def test_likeness_falls_as_pictures_part() -> None:
    whole = pixels(64, 48)
    near, far = (whole.filter(ImageFilter.GaussianBlur(radius)) for radius in (0.5, 3))
    found = [ssim(part(whole), part(other)) for other in (whole, near, far)]
    assert found[0] == pytest.approx(1.0) and found[0] > found[1] > found[2]  # type: ignore[operator]
    assert ssim(part(whole), part(pixels(48, 64))) is None and ssim(part(pixels(8, 8)), part(pixels(8, 8))) is None
    assert psnr(part(whole), part(whole)) == math.inf


def test_a_map_is_brightest_where_the_model_looked() -> None:
    corner = numpy.zeros((2, 4, 4), numpy.float32)
    corner[0, 0, 0] = corner[1, 3, 3] = 0.5
    maps = AttentionMaps(words=("cat", "hat"), by_size={(4, 4): corner, (8, 8): numpy.full((2, 8, 8), 0.1, "float32")})
    assert sizes(maps) == [(8, 8), (4, 4)]
    cat, hat = heats(Image.new("RGB", (40, 40), "white"), maps)
    assert (cat.word, hat.word) == ("cat", "hat") and cat.share == pytest.approx((0.5 / 16 + 0.1) / 2)
    light = [numpy.asarray(heat.picture.convert("L"), float) for heat in (cat, hat)]
    assert light[0][:8, :8].mean() > 2 * light[0][-8:, -8:].mean()
    assert light[1][-8:, -8:].mean() > 2 * light[1][:8, :8].mean()
    flat = heats(Image.new("RGB", (40, 40)), maps, (8, 8))[0].picture
    assert flat.getextrema()[0][0] == flat.getextrema()[0][1], "where all is alike, nothing stands out"


def test_a_way_has_both_ends() -> None:
    both = way_to("a dog", 9, 3)
    assert [value["blend"] for value in both.values] == [0, 0.5, 1] and both.labels == ("0%", "50%", "100%")
    assert both.values[2] == {"blend_prompt": "a dog", "blend": 1, "variation_seed": 9, "variation_strength": 1}
    assert "variation_seed" not in way_to("a dog", None, 3).values[0] and "blend" not in way_to(" ", 9, 3).values[0]
    with pytest.raises(InvalidRequest, match="something to go to"):
        way_to(" ", None, 5)
    with pytest.raises(InvalidRequest, match="between 3 and 24 frames"):
        way_to("a dog", None, 2)


@pytest.mark.parametrize("kind", ["image/webp", "image/gif"])
def test_a_moving_picture_goes_there_and_back_and_says_how_it_was_made(kind: str) -> None:
    frames = [part(Image.new("RGB", (32, 24), colour)) for colour in ("red", "green", "blue")]
    request = ImageRequest(prompt="a cat", blend_prompt="a dog", blend=1.0, seed=3)
    made, sidecar = moving(frames, Drawing(receipt=RECEIPT, seeds=(3,)), request, Settings(), kind)
    with Image.open(io.BytesIO(made.data)) as shown:
        colours = []
        for number in range(shown.n_frames):
            shown.seek(number)
            colours.append(max(range(3), key=lambda n: shown.convert("RGB").getpixel((5, 5))[n]))
        assert colours == [0, 1, 2, 1] and shown.info["loop"] == 0
    found = restore(sidecar or made.data)
    assert (found.prompt, found.seed, sidecar is None) == ("a cat", 3, kind == "image/webp")
    if sidecar:
        assert "The last of 3 frames" in json.loads(sidecar)["receipt"]["notes"][0]


def test_attributes_are_drawn_with_the_same_seeds_and_once_without() -> None:
    down = rows("a photo of a {attribute} doctor", "young, old,, young")
    assert down.values == ("a photo of a doctor", "a photo of a young doctor", "a photo of an old doctor")
    assert down.labels == (UNSAID, "young", "old")
    assert rows("A {attribute} engineer", "kind").values == ("An engineer", "A kind engineer")
    assert (columns(2, None).name, columns(2, None).labels) == ("", ("Picture 1", "Picture 2"))
    assert columns(2, 2**32 - 1).values == (2**32 - 1, 0)
    for template, attributes, words in (("a doctor", "old", "where the attributes go"), ("a {attribute}", " ", "Name")):
        with pytest.raises(InvalidRequest, match=words):
            rows(template, attributes)
    with pytest.raises(InvalidRequest, match="1 to 6 seeds"):
        columns(7, 0)
