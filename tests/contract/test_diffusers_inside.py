"""What the diffusers engine lets a person see inside: where each word was looked for, and what lies between prompts."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy
import pytest

from shared.backends import get_backend
from shared.engine import Engine
from shared.errors import InvalidRequest
from tests.support.drawing import FORCED, ask, build, draw, engine_for, picture, variant_for
from tests.support.tiny_pipelines import READS

pytestmark = FORCED
BLENDED = {"prompt": "a red apple", "blend_prompt": "a sad house"}


def unmoved_by_words(folder: Path) -> Path:
    """The pipeline with attention that looks for every token alike."""
    from diffusers import UNet2DConditionModel

    unet = UNet2DConditionModel.from_pretrained(folder / "unet")
    for name, weight in unet.named_parameters():
        if name.endswith("attn2.to_k.weight"):
            weight.data.zero_()
    unet.save_pretrained(folder / "unet")
    return folder


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    made = build(tmp_path_factory.mktemp("tiny"), ("sd", "sdxl", "flux", "qwen"))
    even = build(tmp_path_factory.mktemp("even"), ("sd",))
    variants = {name: variant_for(path) for name, path in made.items()}
    variants["even"] = variant_for(unmoved_by_words(even["sd"]))
    return engine_for(tmp_path_factory.mktemp("data"), **variants)


@pytest.mark.parametrize("name", ["sd", "sdxl"])
def test_looking_changes_nothing_and_every_word_has_its_map(tiny: Engine, name: str) -> None:
    usual = {"prompt": "a Red, apple", "guidance_scale": 4.0, "width": 48}
    looked = draw(tiny, name, **usual, keep_attention=True)
    assert looked.output.images[0].data == picture(tiny, name, **usual)
    seen = pickle.loads(pickle.dumps(looked.output.attention))
    assert seen.words == ("a", "Red", "apple")
    assert {size: maps.shape for size, maps in seen.by_size.items()} == {(8, 12): (3, 8, 12)}
    maps = seen.by_size[8, 12]
    assert (maps > 0).all() and (maps.sum(0) < 1).all()
    assert draw(tiny, name, **usual).output.attention is None


def test_a_words_share_is_that_of_its_tokens(tiny: Engine) -> None:
    """Where all tokens get the same share, a word gets as many of them as it has letters: here each is a token."""
    (maps,) = draw(tiny, "even", prompt="a red apple", keep_attention=True).output.attention.by_size.values()
    assert maps == pytest.approx(numpy.array([1, 3, 5])[:, None, None] / READS * numpy.ones(maps.shape), rel=1e-4)


def test_words_that_are_cut_off_have_no_map(tiny: Engine) -> None:
    seen = draw(tiny, "sd", prompt="b" * 28 + " house tree", keep_attention=True).output.attention
    assert seen.words == ("b" * 28, "house")  # of which the first two letters are read


def test_engines_that_can_not_be_looked_into_say_so(tiny: Engine, tmp_path: Path) -> None:
    receipt = draw(tiny, "flux", keep_attention=True).receipt
    assert "only U-Nets" in receipt.unhonoured["keep_attention"]
    known = get_backend("openvino_image").capabilities(variant_for(tmp_path, quantization="int8"))
    assert "Choose the diffusers engine" in (known.reason("keep_attention", "OpenVINO") or "")
    assert "keep_attention" not in get_backend("openai_images").capabilities(variant_for("gpt-image-2")).parameters


@pytest.mark.parametrize("name", ["sd", "sdxl", "flux", "qwen"])
def test_a_blend_goes_from_one_prompt_to_the_other(tiny: Engine, name: str) -> None:
    start, middle, end = (picture(tiny, name, **BLENDED, blend=share) for share in (0.0, 0.5, 1.0))
    assert start == picture(tiny, name, prompt=BLENDED["prompt"])
    assert end == picture(tiny, name, prompt=BLENDED["blend_prompt"])
    assert middle not in {start, end}
    assert picture(tiny, name, prompt=BLENDED["prompt"]) == start, "the pipeline reads words as before"


def test_prompts_that_have_nothing_between_them_are_refused(tiny: Engine) -> None:
    with pytest.raises(InvalidRequest, match="same number of words"):
        draw(tiny, "qwen", prompt="a red apple", blend_prompt="a house", blend=0.5)
    with pytest.raises(InvalidRequest, match="blend must be between 0 and 1"):
        ask(**BLENDED, blend=1.5).validate()
