"""Variations of a seed in the diffusers engine: noise between that of two seeds, on tiny random pipelines."""

from __future__ import annotations

import io
import json

import pytest
from PIL import Image

from shared.engine import Engine
from shared.image.drawing import drawings
from shared.image.finishing import finish
from shared.image.sweeping import NOTHING, Way, axis, sweep
from shared.media.labelling import KEYWORD
from shared.media.restoring import restore
from shared.settings import Settings
from tests.support import pictures
from tests.support.drawing import FORCED, ask, build, draw, engine_for, opened, part, picture, variant_for

pytestmark = FORCED
FAMILIES = ("sd", "sdxl", "sd3", "flux", "qwen", "z")
OTHER = 99


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    folder = tmp_path_factory.mktemp("tiny")
    return engine_for(folder, **{name: variant_for(path) for name, path in build(folder, FAMILIES).items()})


def far(one: bytes, other: bytes) -> float:
    return float(abs(opened(one) - opened(other)).mean())


@pytest.mark.parametrize("name", FAMILIES)
def test_a_variation_goes_from_the_picture_of_one_seed_to_that_of_the_other(tiny: Engine, name: str) -> None:
    def at(strength: float) -> bytes:
        return picture(tiny, name, variation_seed=OTHER, variation_strength=strength)

    seeds, other = picture(tiny, name), picture(tiny, name, seed=OTHER)
    assert (at(0.0), at(1.0)) == (seeds, other)
    little, half = at(0.05), at(0.5)
    assert half not in (seeds, other)
    assert 0 < far(little, seeds) < far(half, seeds) and far(little, seeds) < far(little, other)
    assert picture(tiny, name) == seeds  # the next picture is drawn from its seed alone


@pytest.mark.parametrize("scheduler", ["EulerAncestralDiscreteScheduler", "DDPMScheduler"])
def test_noise_that_a_scheduler_adds_at_each_step_is_of_both_seeds_too(tiny: Engine, scheduler: str) -> None:
    asked = {"scheduler": scheduler, "num_inference_steps": 4}
    whole = picture(tiny, "sd", variation_seed=OTHER, variation_strength=1.0, **asked)
    assert whole == picture(tiny, "sd", seed=OTHER, **asked)


def test_a_start_picture_and_a_mask_have_variations_too(tiny: Engine) -> None:
    mask = part(Image.new("L", (32, 32), 255))
    for more in ({}, {"mask_image": mask}):
        asked = {"image": part(pictures.pixels(32, 32)), "strength": 0.8, "num_inference_steps": 4, **more}
        drawn = [picture(tiny, "sd", variation_seed=OTHER, variation_strength=s, **asked) for s in (0.0, 0.5, 1.0)]
        assert len(set(drawn)) == 3
        assert (drawn[0], drawn[2]) == (picture(tiny, "sd", **asked), picture(tiny, "sd", seed=OTHER, **asked))


def test_noise_between_two_is_as_strong_as_they_are() -> None:
    import torch

    from shared.backends.diffusion.noise import between

    one, other = (torch.randn(1, 4, 32, 32, generator=torch.Generator().manual_seed(s)) for s in (1, 2))
    for strength in (0.1, 0.5, 0.9):
        mixed = between(one, other, strength)
        assert mixed.norm().item() == pytest.approx(one.norm().item(), rel=0.03)
        straight = torch.lerp(one, other, strength).norm().item()
        assert straight < 0.95 * mixed.norm().item(), "on a straight line half of the noise would be lost"
    assert torch.equal(between(one, one, 0.5), one)
    assert between(one.half(), other.half(), 0.5).dtype == torch.float16


def test_several_variations_are_of_one_seed(tiny: Engine) -> None:
    final = draw(tiny, "sd", variation_seed=2**32 - 1, variation_strength=0.3, num_images_per_prompt=2)
    assert final.output.seeds == (7, 7)
    alone = [picture(tiny, "sd", variation_seed=s, variation_strength=0.3) for s in (2**32 - 1, 0)]
    assert [image.data for image in final.output.images] == alone and alone[0] != alone[1]


def test_a_variation_seed_that_nobody_chose_is_drawn_and_named_and_the_files_say_their_own(tiny: Engine) -> None:
    asked = ask(variation_strength=0.25, num_images_per_prompt=2)
    *_, drawing = drawings(tiny.generate("sd", asked))
    receipt = drawing.receipt
    assert receipt is not None and receipt.settings["variation_strength"] == 0.25
    first = receipt.settings["variation_seed"]
    files = [finished.image.data for finished in finish(drawing, asked, Settings(safety="off"))]
    for number, file in enumerate(files):
        found = restore(file)
        assert (found.seed, found.variation_seed, found.variation_strength) == (7, first + number, 0.25)
        again = {"variation_seed": found.variation_seed, "variation_strength": found.variation_strength}
        assert (opened(picture(tiny, "sd", **again)) == opened(file)).all()
        with Image.open(io.BytesIO(file)) as image:
            texts = image.text  # type: ignore[attr-defined]
        assert f"Variation seed: {first + number}, Variation seed strength: 0.25" in texts["parameters"]
        assert json.loads(texts[KEYWORD])["request"]["image_variation_seed"] == first + number


def test_a_variation_seed_alone_is_told_to_count_for_nothing(tiny: Engine) -> None:
    final = draw(tiny, "sd", variation_seed=OTHER)
    assert final.output.images[0].data == picture(tiny, "sd")
    assert "variation strength" in final.receipt.unhonoured["variation_seed"]
    assert "variation_seed" not in final.receipt.settings


def test_a_grid_of_variations_shares_both_seeds(tiny: Engine) -> None:
    side = axis("variation_strength", "0, 0.2, 1")
    *_, grid = sweep(tiny, ask(seed=None), Way("sd", None), side, NOTHING)
    drawn, requests = zip(*grid[0], strict=True)
    assert len({(r.seed, r.variation_seed) for r in requests}) == 1 and requests[0].variation_seed is not None
    assert len({d.images[0].data for d in drawn}) == 3
    assert not any(d.receipt.unhonoured for d in drawn if d.receipt)
