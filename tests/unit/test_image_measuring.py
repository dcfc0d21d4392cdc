"""Figures for pictures: by CLIP, LPIPS, FID and KID, each with its sample and its caveat, or why it can't be had."""

from __future__ import annotations

import math
from pathlib import Path

import numpy
import pytest
import torch
from PIL import Image, ImageFilter

from shared.errors import BackendError, CorruptWeights, InvalidRequest, UnknownModel
from shared.image.measuring import clip, measures, perceptual
from shared.image.measuring.distances import distances
from shared.image.measuring.measures import INCEPTION, Asked, Figure, measure
from shared.requests import ImagePart
from shared.settings import Settings
from shared.streaming import Emitter
from tests.support import measuring
from tests.support.pictures import encoded, pixels

SETTINGS = Settings(offline=True)
EMIT = Emitter(lambda event: None)


def part(image: Image.Image) -> ImagePart:
    return ImagePart(encoded("PNG", image), "image/png")


SHARP = pixels(64, 64)
PICTURES = [part(SHARP.rotate(angle)) for angle in range(0, 90, 15)]
OTHERS = [part(SHARP.filter(ImageFilter.GaussianBlur(radius / 2))) for radius in range(6)]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return measuring.clip(tmp_path_factory.mktemp("clip"))


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return measuring.vgg(tmp_path_factory.mktemp("vgg") / "vgg16")


def told(wanted: str, asked: Asked) -> list[Figure]:
    return measure([wanted], asked, SETTINGS, EMIT)


def test_clip_tells_the_cosine_of_pictures_and_words(model: Path) -> None:
    """Against transformers' own way from pixels and words to its logits."""
    from transformers import CLIPModel

    ours = clip.load(str(model), SETTINGS, EMIT)
    small = part(SHARP.resize((32, 32)))
    scores = clip.score(ours.pictures([small, *PICTURES], EMIT), ours.words("a red apple"))
    seen = torch.tensor(numpy.asarray(SHARP.resize((32, 32)), numpy.float32) / 255)
    seen = ((seen - torch.tensor(clip._MEAN)) / torch.tensor(clip._STD)).permute(2, 0, 1)[None]
    theirs = CLIPModel.from_pretrained(model)
    ids = ours.tokenizer(["a red apple"], return_tensors="pt")
    with torch.inference_mode():
        cosine = float(theirs(pixel_values=seen, **ids).logits_per_image / theirs.logit_scale.exp())
    assert scores[0] == pytest.approx(100 * max(cosine, 0), abs=1e-3)
    assert len(scores) == 7 and all(0 <= score <= 100 for score in scores)
    assert clip.score(torch.tensor([[-1.0, 0.0]]), torch.tensor([[1.0, 0.0]])) == [0.0]


def test_a_clip_score_says_what_it_was_taken_from(model: Path) -> None:
    first, second = told("clip", Asked(PICTURES, OTHERS[:1], "an apple", clip=str(model)))
    assert first.name == "CLIP score" and f"mean of 6 pictures by {model.name}" in first.about
    assert first.value.count(",") == 5 and "1 pictures" in second.about
    (none,) = told("clip", Asked(PICTURES, clip=str(model)))
    assert "write what they should show" in none.error


def test_lpips_is_nought_for_the_same_and_grows_with_blur(network: Path) -> None:
    look = perceptual.load(str(network), SETTINGS, EMIT)
    same, near, far = (look(OTHERS[0], other) for other in (OTHERS[0], OTHERS[2], OTHERS[5]))
    assert same == 0 and near is not None and far is not None and 0 < near < far
    assert look(OTHERS[2], OTHERS[0]) == pytest.approx(near)
    assert look(OTHERS[0], part(pixels(32, 64))) is None
    (figure,) = told("lpips", Asked(OTHERS[:2], OTHERS[1:3], lpips=str(network)))
    assert "Mean of 2 pairs" in figure.about and 0 < float(figure.value) < 1


def test_the_distances_are_those_of_the_formulas() -> None:
    """FID of two one-dimensional Gaussians is (difference of means)^2 + (difference of spreads)^2."""
    spread = torch.linspace(-1, 1, 40).reshape(-1, 1).double()
    deviation = float(spread.std())
    found = distances(spread, 3 * spread + 2)
    assert found.fid == pytest.approx(4 + (2 * deviation) ** 2, rel=1e-6) and found.counts == (40, 40)
    assert found == distances(spread, 3 * spread + 2), "the same again"
    alike = distances(spread, spread)
    assert alike.fid == pytest.approx(0, abs=1e-6) and abs(alike.kid) < found.kid and found.kid_spread > 0


def test_fid_falls_with_more_pictures_of_one_kind_and_kid_does_not() -> None:
    made = torch.Generator().manual_seed(0)
    first, second = (torch.randn(60, 16, generator=made) for _ in range(2))
    found = distances(first, second)
    assert found.fid_of_half > 1.3 * found.fid > 0
    assert abs(found.kid) < 3 * found.kid_spread


def test_fid_and_kid_say_their_sample_and_caveat(model: Path) -> None:
    fid, kid = told("distances", Asked(PICTURES, OTHERS, clip=str(model)))
    assert "6 and 6 pictures" in fid.about and "biased" in fid.about and "not comparable" in kid.about
    assert "of half of the pictures" in fid.value and "±" in kid.value and not math.isnan(float(kid.value.split()[0]))
    (few,) = told("distances", Asked(PICTURES, OTHERS[:3], clip=str(model)))
    assert "4 pictures or more; there are 6 and 3" in few.error


def test_what_the_usual_fid_needs_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "torchvision", None)  # as where it isn't installed
    (figure,) = told("distances", Asked(PICTURES, OTHERS, features=INCEPTION))
    assert "pip install torch-fidelity torchvision" in figure.error and "CLIP's features" in figure.error


def test_what_can_not_be_had_stops_nothing_else(tmp_path: Path) -> None:
    asked = Asked(OTHERS[:1], OTHERS[1:2], "an apple", clip="owner/not-here", lpips="owner/not-here")
    found = measure(list(measures.LABELS), asked, SETTINGS, EMIT)
    assert [figure.name for figure in found] == ["PSNR", "SSIM", "LPIPS", "CLIP score", "FID and KID"]
    assert found[0].value.endswith("dB") and 0 < float(found[1].value) < 1
    assert all("works offline" in figure.error for figure in found[2:4])
    assert "Measuring: LPIPS" not in found[2].error


def test_likeness_is_of_pairs() -> None:
    one = told("likeness", Asked(PICTURES, PICTURES[:1]))
    assert "Mean of 6 pairs" in one[1].about
    assert told("likeness", Asked(PICTURES[:1], PICTURES[:1]))[0].value == "the same"
    assert "as many pictures" in told("likeness", Asked(PICTURES, OTHERS[:2]))[0].error
    assert "different sizes" in told("likeness", Asked([part(pixels(20, 30))], OTHERS[:1]))[0].error
    for asked, words in ((Asked([]), "Put in the pictures"), (Asked(OTHERS * 100), "too many")):
        with pytest.raises(InvalidRequest, match=words):
            told("likeness", asked)


def test_weights_that_are_none_are_refused(tmp_path: Path, model: Path) -> None:
    with pytest.raises(UnknownModel, match="no folder gone"):
        clip.load(str(tmp_path / "gone"), SETTINGS, EMIT)
    with pytest.raises(InvalidRequest, match="no Hub id"):
        clip.load("just-a-word", SETTINGS, EMIT)
    with pytest.raises(InvalidRequest, match="doesn't open paths"):
        clip.load(str(model), Settings(public=True), EMIT)
    (tmp_path / "config.json").write_text('{"model_type": "clip"}')
    with pytest.raises(BackendError, match="no CLIP model"):
        clip.load(str(tmp_path), SETTINGS, EMIT)
    (tmp_path / "model.safetensors").write_bytes(b"cut")
    with pytest.raises(CorruptWeights, match="whole safetensors"):
        perceptual.load(str(tmp_path), SETTINGS, EMIT)
    (tmp_path / "model.safetensors").write_bytes((model / "model.safetensors").read_bytes())
    with pytest.raises(CorruptWeights, match="VGG16"):
        perceptual.load(str(tmp_path), SETTINGS, EMIT)
