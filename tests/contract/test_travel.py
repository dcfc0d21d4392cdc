"""Clips by a picture engine keep the contract, shown on a tiny random picture model."""

from __future__ import annotations

import io
import pickle
from typing import Any

import numpy as np
import pytest
from PIL import Image

from shared.catalog import Catalog, ModelSpec, Variant
from shared.engine import Engine
from shared.errors import InvalidRequest
from shared.events import Final, Frame
from shared.requests import ImagePart, Shot, VideoRequest
from shared.settings import Settings
from shared.streaming import CancelToken
from shared.tasks import Task
from shared.video.reading import frames
from tests.support.device import DEVICE
from tests.support.tiny_pipelines import PIXELS, stable_diffusion_tiny

# What the libraries warn of among themselves.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning"),
]
DRAWERS = ("diffusers", "openvino_image")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(0)
        folder = stable_diffusion_tiny(tmp_path_factory.mktemp("tiny") / "pictures")
    specs = [
        ModelSpec(
            id=drawer,
            name=drawer,
            task=Task.TEXT_TO_VIDEO,
            license="none",
            variants=(
                Variant(
                    backend="travel",
                    repo_id=str(folder),
                    device=DEVICE,
                    quantization="int8" if drawer == "openvino_image" else None,
                    options={"drawn_by": drawer, "schedulers": "noise"},
                ),
            ),
        )
        for drawer in DRAWERS
    ]
    return Engine(Catalog(specs), Settings(data_dir=tmp_path_factory.mktemp("data")))


def ask(**more: Any) -> VideoRequest:
    usual: dict[str, Any] = {"prompt": "a red apple", "seed": 7, "num_frames": 5, "num_inference_steps": 4}
    return VideoRequest(**{**usual, **more})


def made(engine: Engine, model: str = "diffusers", **more: Any) -> Final:
    *_, final = engine.generate(model, ask(**more))
    assert isinstance(final, Final)
    return final


def pixels(final: Final) -> Any:
    return np.stack([np.asarray(frame, np.int16) for frame in frames(final.output.video)])


@pytest.mark.parametrize("model", DRAWERS)
def test_frames_come_one_by_one_and_make_the_clip(tiny: Engine, model: str) -> None:
    events = list(tiny.generate(model, ask()))
    final = events[-1]
    assert isinstance(final, Final)
    assert [event.number for event in events if isinstance(event, Frame)] == [0, 1, 2, 3, 4]
    assert len(pixels(final)) == 5 and final.output.fps == 8 and final.output.width == PIXELS
    assert final.receipt.extra["frames_per_second"] > 0 and final.receipt.seed == 7
    assert pickle.loads(pickle.dumps(events))[-1].receipt == final.receipt


def test_the_same_seed_gives_the_same_clip_and_its_noise_wanders_as_far_as_is_said(tiny: Engine) -> None:
    first, again, still, other = (
        pixels(made(tiny, **more)) for more in ({}, {}, {"wander": 0.0}, {"seed": 8, "wander": 0.0})
    )
    assert abs(first - again).mean() < 1  # a sum's order may move a value by one
    assert abs(still[0] - still[-1]).max() <= 4 < abs(first[0] - first[-1]).max()
    assert abs(still[0] - other[0]).max() > 4


def test_a_shot_is_reached_at_its_second_and_lies_between_before_it(tiny: Engine) -> None:
    travelled = pixels(made(tiny, wander=0.0, shots=(Shot(start=0.5, prompt="zebra"),)))
    ends = [pixels(made(tiny, wander=0.0, num_frames=1, prompt=prompt))[0] for prompt in ("a red apple", "zebra")]
    from_first, from_last = ([float(abs(frame - end).mean()) for frame in travelled] for end in ends)
    assert from_first[0] < from_last[0] and from_last[4] < from_first[4]  # what the file loses is less
    assert from_first[0] < from_first[4] and from_last[4] < from_last[0]


def test_a_clip_begins_with_the_picture_that_it_was_given_and_goes_on_from_it(tiny: Engine) -> None:
    file = io.BytesIO()
    Image.new("RGB", (PIXELS, PIXELS), (200, 30, 30)).save(file, "PNG")
    clip = pixels(made(tiny, image=ImagePart(file.getvalue(), "image/png"), camera="pan_left", strength=0.5))
    assert abs(clip[0] - np.array((200, 30, 30))).max() <= 6
    assert abs(clip[1] - clip[0]).max() > 6
    with pytest.raises(InvalidRequest, match="can't end with a picture"):
        made(tiny, last_image=ImagePart(file.getvalue(), "image/png"))


def test_a_clip_that_is_stopped_keeps_the_frames_that_were_whole(tiny: Engine) -> None:
    cancel, final = CancelToken(), None
    for event in tiny.generate("diffusers", ask(num_frames=100), cancel=cancel):
        if isinstance(event, Frame) and event.number == 2:
            cancel.cancel()
        final = event
    assert isinstance(final, Final) and final.output.finish_reason == "stopped"
    kept = len(list(frames(final.output.video)))
    assert 3 <= kept == final.output.num_frames <= 5
    assert made(tiny).output.num_frames == 5  # the model was let go


def test_what_no_picture_engine_takes_is_refused_before_anything_is_drawn(tiny: Engine) -> None:
    for wrong, words in (({"camera": "dolly"}, "no camera called"), ({"num_frames": 961}, "between 1 and 960")):
        with pytest.raises(InvalidRequest, match=words):
            made(tiny, **wrong)
    with pytest.raises(InvalidRequest, match="later than the one before"):
        made(tiny, shots=(Shot(start=1, prompt="a"), Shot(start=1, prompt="b")))


def test_a_client_that_leaves_stops_the_work_and_lets_the_model_go(tiny: Engine) -> None:
    events = tiny.generate("diffusers", ask(num_frames=400))
    assert any(isinstance(event, Frame) for event in events)
    events.close()  # type: ignore[attr-defined]
    assert made(tiny).output.num_frames == 5  # it would wait for the other's 400 frames otherwise
