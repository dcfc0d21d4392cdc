"""On a card too small for a model: its parts, or its layers, take turns there, and draw what the whole would."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from shared.backends.diffusion.placing import NOTES, Way
from shared.catalog import Catalog, ModelSpec, Variant
from shared.engine import Engine
from shared.events import Final, Frame, Progress
from shared.memory import cuda_gb, give_back
from shared.requests import VideoRequest
from shared.settings import Settings
from shared.tasks import Task
from tests.support import tiny_video
from tests.support.drawing import FORCED, ask, build, engine_for, opened, variant_for

pytestmark = FORCED
PIECES = (Way.PARTS, Way.LAYERS)
PICTURES = ("sd", "sdxl", "sd3", "flux", "qwen", "z")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return build(tmp_path_factory.mktemp("tiny"), PICTURES)


@pytest.mark.parametrize("way", PIECES)
@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_in_pieces_is_the_same_picture(made: dict[str, Path], tmp_path: Path, name: str, way: Way) -> None:
    give_back()
    before = cuda_gb()
    ways = {
        each: variant_for(made[name], dtype="float32", device="cuda", options={"offload": each.value})
        for each in (Way.WHOLE, way)
    }
    engine = engine_for(tmp_path, **{each.value: variant for each, variant in ways.items()})
    ends: list[Any] = [list(engine.generate(each.value, ask()))[-1] for each in (Way.WHOLE, way, way)]
    whole, *parts = (opened(end.output.images[0]) for end in ends)
    assert all(abs(whole - part).max() <= 1 for part in parts)
    last = ends[-1]
    assert last.receipt.extra["offload"] == way and NOTES[way] in last.receipt.notes
    assert last.receipt.device == "cuda"
    engine.pool.unload()
    assert cuda_gb() - before < 0.03


@pytest.mark.parametrize("way", PIECES)
@pytest.mark.parametrize("quantization", [None, "fp8"])
@pytest.mark.filterwarnings("ignore:.*num_frames - 1.*")
def test_a_clip_in_pieces_also_in_eight_bits(tmp_path: Path, way: Way, quantization: str | None) -> None:
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(0)
        folder = tiny_video.MAKERS["wan"](tmp_path / "wan")
    told = {"pipeline": "WanPipeline", "offload": way.value}
    variant = Variant(
        backend="diffusers_video", repo_id=str(folder), device="cuda", quantization=quantization, options=told
    )
    spec = ModelSpec(id="m", name="m", task=Task.TEXT_TO_VIDEO, license="none", variants=(variant,))
    engine = Engine(Catalog([spec]), Settings(data_dir=tmp_path / "data"))
    side = tiny_video.SIDE
    request = VideoRequest(
        prompt="a red apple", seed=7, num_frames=9, width=side, height=side, num_inference_steps=2, guidance_scale=2.0
    )
    *events, last = engine.generate("m", request)
    assert isinstance(last, Final) and last.receipt.extra["offload"] == way
    assert sum(isinstance(event, Frame) for event in events) == 9
    assert any(isinstance(event, Progress) and event.message == NOTES[way] for event in events)
    engine.pool.unload()
