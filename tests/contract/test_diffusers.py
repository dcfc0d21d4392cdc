"""The diffusers engine keeps the contract, shown on tiny random pipelines of each family it claims."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path

import pytest

from shared.backends import get_backend
from shared.backends.diffusion.schedulers import schedulers
from shared.backends.local import threads
from shared.engine import Engine
from shared.errors import InvalidRequest, UnknownModel
from shared.events import Final, Progress
from shared.settings import Settings
from shared.streaming import Emitter
from shared.tasks import Mode
from tests.support import contract
from tests.support.device import DEVICE, DTYPE
from tests.support.drawing import FORCED, ask, build, draw, engine_for, opened, picture, variant_for
from tests.support.tiny_pipelines import FAMILIES, latent_consistency

pytestmark = FORCED
FLOW = ("sd3", "flux", "schnell", "qwen", "z")
NOISE = ("sd", "sd-tiny", "sdxl")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    made = build(tmp_path_factory.mktemp("tiny"))
    variants = {name: variant_for(path) for name, path in made.items()}
    reasons = {"guidance_scale": "It was distilled without.", "negative_prompt": "It was distilled without."}
    variants["distilled"] = variant_for(made["sd"], options={"not": reasons})
    variants["small"] = variant_for(made["sd"], options={"largest_side": 64})
    return engine_for(tmp_path_factory.mktemp("data"), **variants)


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_draws_one_png_of_the_size_asked_in_one_final(tiny: Engine, name: str) -> None:
    from PIL import Image

    events = list(tiny.generate(name, ask(width=48, height=32)))
    (final,) = (event for event in events if isinstance(event, Final))
    assert events[-1] is final and final.output.finish_reason == "stop"
    (image,) = final.output.images
    assert image.media_type == "image/png"
    with Image.open(io.BytesIO(image.data)) as shown:
        assert (shown.format, shown.size) == ("PNG", (48, 32))
    receipt = final.receipt
    assert (receipt.backend, receipt.mode, receipt.device, receipt.dtype) == ("diffusers", Mode.LOCAL, DEVICE, DTYPE)
    assert receipt.noise_device == "cpu" and {"torch", "diffusers", "transformers"} <= set(receipt.versions)
    steps = [(event.step, event.total) for event in events if isinstance(event, Progress) and event.step]
    assert list(dict.fromkeys(steps)) == [(1, 2), (2, 2)]  # told again where something takes long


@pytest.mark.parametrize("name", FAMILIES)
def test_one_seed_is_one_picture_and_another_seed_or_prompt_another(tiny: Engine, name: str) -> None:
    first = picture(tiny, name, seed=11)
    assert picture(tiny, name, seed=11) == first
    assert picture(tiny, name, seed=12) != first
    assert picture(tiny, name, seed=11, prompt="two blue cats") != first


def test_a_seed_holds_while_another_model_draws_at_the_same_time(tiny: Engine) -> None:
    alone = picture(tiny, "sd", num_inference_steps=15)
    going, stop = threading.Event(), threading.Event()

    def draw_on() -> None:
        while not stop.is_set():
            picture(tiny, "sdxl", seed=3, num_inference_steps=4)
            going.set()

    other = threading.Thread(target=draw_on)
    other.start()
    try:
        assert going.wait(20)
        assert picture(tiny, "sd", num_inference_steps=15) == alone
    finally:
        stop.set()
        other.join()


@pytest.mark.parametrize("name", ["sd", "flux"])
def test_two_pictures_have_seeds_that_follow_each_other(tiny: Engine, name: str) -> None:
    output = draw(tiny, name, seed=2**32 - 1, num_images_per_prompt=2).output
    assert output.seeds == (2**32 - 1, 0)
    assert [image.data for image in output.images] == [picture(tiny, name, seed=s) for s in output.seeds]


@pytest.mark.parametrize("name", FAMILIES)
def test_every_scheduler_of_the_models_kind_draws_and_the_others_are_refused(tiny: Engine, name: str) -> None:
    fitting = set(schedulers()["flow" if name in FLOW else "noise"])
    if name in FLOW and name != "sd3":
        fitting.remove("FlowMatchHeunDiscreteScheduler")  # it can't be told the steps that these pipelines choose
    (variant,) = tiny.find(name).variants
    assert set(get_backend("diffusers").capabilities(variant).schedulers) == fitting, "what a screen offers"
    drawn = {one: picture(tiny, name, scheduler=one, num_inference_steps=4) for one in fitting}
    assert len(set(drawn.values())) == len(fitting)
    assert picture(tiny, name, num_inference_steps=4) in drawn.values()  # its own is back, and is one of them
    for other in {one for kind in schedulers().values() for one in kind} - fitting:
        with pytest.raises(InvalidRequest, match=r"Choose one of: .*Euler"):
            picture(tiny, name, scheduler=other)


def test_a_latent_consistency_model_takes_its_own_kind_of_scheduler_alone(tmp_path: Path) -> None:
    engine = engine_for(tmp_path / "data", lcm=variant_for(latent_consistency(tmp_path / "lcm")))
    assert get_backend("diffusers").capabilities(engine.find("lcm").variants[0]).schedulers == ("LCMScheduler",)
    assert picture(engine, "lcm", scheduler="LCMScheduler") == picture(engine, "lcm")
    with pytest.raises(InvalidRequest, match="Choose one of: LCMScheduler"):
        picture(engine, "lcm", scheduler="DDIMScheduler")


def test_a_scheduler_that_takes_fewer_steps_says_so(tiny: Engine) -> None:
    with pytest.raises(InvalidRequest, match="LCM takes at most 50 steps"):
        picture(tiny, "sd", scheduler="LCMScheduler", num_inference_steps=51)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"scheduler": "Nonsense"}, "no scheduler 'Nonsense'. Choose one of"),
        ({"width": 33}, "width must be a multiple of 4, such as 32 or 36"),
        ({"height": 45}, "height must be a multiple of 4, such as 44 or 48"),
        ({"width": 2052}, "up to 2048 pixels a side"),
        ({"prompt": " "}, "prompt is empty"),
    ],
)
def test_what_can_not_be_drawn_is_refused_with_what_to_do(tiny: Engine, asked: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        draw(tiny, "sd", **asked)


def test_a_side_larger_than_the_models_row_allows_is_refused(tiny: Engine) -> None:
    assert opened(picture(tiny, "small", width=64)).shape == (32, 64, 3)
    with pytest.raises(InvalidRequest, match="up to 64 pixels a side; the height asked is 68"):
        draw(tiny, "small", height=68)


@pytest.mark.parametrize("name", ["sd", "sdxl", "sd3", "schnell", "qwen", "z"])
def test_guidance_and_a_negative_prompt_change_the_picture(tiny: Engine, name: str) -> None:
    guided = draw(tiny, name, guidance_scale=5.0)
    assert guided.output.images[0].data != picture(tiny, name, guidance_scale=2.0)
    negative = draw(tiny, name, guidance_scale=5.0, negative_prompt="green, blurred")
    assert negative.output.images != guided.output.images
    assert not negative.receipt.unhonoured
    assert negative.receipt.settings["negative_prompt"] == "green, blurred"


@pytest.mark.parametrize("name", ["sd", "z", "qwen"])
def test_a_negative_prompt_without_guidance_stands_as_unhonoured(tiny: Engine, name: str) -> None:
    plain = draw(tiny, name, guidance_scale=1.0)
    told = draw(tiny, name, guidance_scale=1.0, negative_prompt="green")
    assert told.output.images == plain.output.images
    assert "Without guidance" in told.receipt.unhonoured["negative_prompt"]
    assert "negative_prompt" not in told.receipt.settings


def test_a_model_with_its_guidance_built_in_takes_it_as_a_number_and_no_negative_prompt(tiny: Engine) -> None:
    assert picture(tiny, "flux", guidance_scale=1.0) != picture(tiny, "flux", guidance_scale=9.0)
    told = draw(tiny, "flux", negative_prompt="green")
    assert "takes no negative prompt" in told.receipt.unhonoured["negative_prompt"]


def test_guidance_that_a_model_has_no_use_for_is_off_and_stands_as_unhonoured(tiny: Engine) -> None:
    assert picture(tiny, "distilled") == picture(tiny, "sd", guidance_scale=0.0) != picture(tiny, "sd")
    case = contract.Case(tiny, "distilled", ask())
    asked = ask(guidance_scale=5.0, negative_prompt="green")
    contract.unhonoured_stand_in_the_receipt(case, asked, "guidance_scale", "negative_prompt")


@pytest.mark.parametrize("name", ["sd", "sdxl"])
def test_the_end_of_a_prompt_that_is_not_read_is_told(tiny: Engine, name: str) -> None:
    read = "a" * 30  # a letter is a token, and the prompt's two ends are tokens too
    assert "unread_words" not in draw(tiny, name, prompt=read).receipt.extra
    final = draw(tiny, name, prompt=read + "bcd")
    assert final.receipt.extra["unread_words"] == "bcd"
    assert final.output.images[0].data == picture(tiny, name, prompt=read + "zzz")


@pytest.mark.parametrize(("name", "limit"), [("sd3", 256), ("flux", 512), ("qwen", 512), ("z", 512)])
def test_a_family_with_a_second_reader_reads_on(tiny: Engine, name: str, limit: int) -> None:
    words = "the dog " * 10
    assert "unread_words" not in draw(tiny, name, prompt=words).receipt.extra
    unread = draw(tiny, name, prompt="the dog " * limit + "zebra").receipt.extra["unread_words"]
    assert unread.endswith("zebra") and len(unread) < limit * 8


def test_settings_that_are_the_pipelines_own_are_used_where_none_is_given(tiny: Engine) -> None:
    final = draw(tiny, "sd", num_inference_steps=None, width=None, height=None)
    assert opened(final.output.images[0]).shape == (32, 32, 3)
    assert final.output.images == draw(tiny, "sd", num_inference_steps=50, guidance_scale=7.5).output.images


@pytest.mark.parametrize("backend", ["diffusers", "openvino_image"])
def test_it_gives_way_to_others_on_the_same_cores(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
    with pytest.raises(UnknownModel):
        get_backend(backend).load(variant_for("./nothing-here"), Settings(), Emitter(lambda _: None))
    assert os.environ["GOMP_SPINCOUNT"] == threads.SPINS


def test_closing_twice_is_fine_and_imports_are_light(tiny: Engine) -> None:
    contract.closes_twice(contract.Case(tiny, "sd", ask()))
    contract.import_is_light("diffusers")
    contract.import_is_light("openvino_image")
