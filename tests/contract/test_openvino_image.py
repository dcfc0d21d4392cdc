"""The OpenVINO engine draws what diffusers draws, in int8, and keeps what it made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.backends.diffusion.openvino_unet import kept_in
from shared.engine import Engine
from shared.errors import BackendError, NoBackendAvailable
from shared.events import Progress
from shared.image.likeness import psnr
from shared.settings import Settings
from shared.tasks import Mode
from tests.support import contract
from tests.support.drawing import FORCED, ask, build, draw, engine_for, opened, part, picture, variant_for
from tests.support.pictures import pixels

pytestmark = FORCED
INT8 = {"backend": "openvino_image", "quantization": "int8"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return build(tmp_path_factory.mktemp("tiny"), ("sd", "sdxl", "flux"))


@pytest.fixture(scope="module")
def tiny(made: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    variants = {"full": variant_for(made["sd"]), "int8": variant_for(made["sd"], **INT8)}
    engine = engine_for(tmp_path_factory.mktemp("data"), **variants)
    yield engine
    engine.pool.unload()


def test_it_draws_what_the_full_model_draws(tiny: Engine, capfd: pytest.CaptureFixture[str]) -> None:
    full, int8 = (draw(tiny, name, width=48, num_inference_steps=4) for name in ("full", "int8"))
    like = psnr(full.output.images[0], int8.output.images[0])
    other = psnr(full.output.images[0], draw(tiny, "full", width=48, seed=8, num_inference_steps=4).output.images[0])
    assert like is not None and other is not None
    assert 30 < like < 100 and like > other + 10
    receipt = int8.receipt
    assert (receipt.backend, receipt.quantization, receipt.mode) == ("openvino_image", "int8", Mode.QUANTIZED)
    assert {"openvino", "nncf", "diffusers"} <= set(receipt.versions)
    assert receipt.seconds.load > 0.1 and capfd.readouterr().out == "", "an export writes nothing on the console"


def test_one_seed_is_one_picture_from_words_from_a_picture_and_under_a_mask(tiny: Engine) -> None:
    start, mask = part(pixels(32, 32)), part(pixels(32, 32).point(lambda value: 255))
    for more in ({}, {"image": start, "strength": 0.6}, {"image": start, "mask_image": mask}):
        asked = {**more, "num_inference_steps": 4}
        assert (
            picture(tiny, "int8", **asked) == picture(tiny, "int8", **asked) != picture(tiny, "int8", **asked, seed=8)
        )


def test_events_pickle_and_close_may_be_called_twice(tiny: Engine) -> None:
    draw(tiny, "int8")
    contract.events_pickle(contract.Case(tiny, "int8", ask(seed=3)))
    contract.closes_twice(contract.Case(tiny, "int8", ask()))


def test_it_is_made_once(tiny: Engine, made: dict[str, Path]) -> None:
    first = picture(tiny, "int8")
    again = engine_for(tiny.settings.data_dir, int8=variant_for(made["sd"], **INT8))
    events = list(again.generate("int8", ask()))
    told = [event.message for event in events if isinstance(event, Progress)]
    assert not any("Preparing" in message or "Quantizing" in message for message in told)
    assert events[-1].output.images[0].data == first  # type: ignore[union-attr]
    assert len(list((tiny.settings.data_dir / "converted").iterdir())) == 1


def test_other_weights_or_another_adapter_are_another_export(made: dict[str, Path], tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    places = {kept_in(made[name], "int8", settings, mark) for name in ("sd", "sdxl") for mark in ("", "one", "two")}
    assert len(places) == 6


@pytest.mark.parametrize("name", ["sdxl", "flux"])
def test_a_family_it_can_not_take_is_refused_with_a_way_out(made: dict[str, Path], tmp_path: Path, name: str) -> None:
    with pytest.raises(BackendError, match="Choose diffusers for it"):
        draw(engine_for(tmp_path, m=variant_for(made[name], **INT8)), "m")
    assert not (tmp_path / "converted").exists()


@pytest.mark.parametrize(
    ("more", "words"), [({"quantization": "int4"}, "no int4 .* Choose int8"), ({"device": "cuda"}, "processor|NVIDIA")]
)
def test_what_it_does_not_have_is_refused(
    made: dict[str, Path], tmp_path: Path, more: dict[str, str], words: str
) -> None:
    with pytest.raises(NoBackendAvailable, match=words):
        draw(engine_for(tmp_path, m=variant_for(made["sd"], **{**INT8, **more})), "m")


def test_its_picture_is_no_flat_grey(tiny: Engine) -> None:
    assert opened(picture(tiny, "int8")).std() > 5
